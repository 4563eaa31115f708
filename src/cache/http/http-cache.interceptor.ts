import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { catchError, finalize, of, tap, throwError, type Observable } from 'rxjs';
import { CacheService } from '../cache.service.js';
import { getCacheToken } from '../cache.tokens.js';
import { exchangeOf } from './exchange-of.js';
import { HandlerPlans, type HandlerPlan } from './handler-plan.js';
import type { HttpExchange } from './http-exchange.js';
import { isCacheable } from './request-rules.js';
import { requestKey } from './request-key.js';
import { ResponseStore, type Made } from './response-store.js';
import { markCacheStatus } from './sent-headers.js';
import { isServerError } from './server-error.js';
import { replyWith } from './stored-reply.js';

/** On a request whose response is being seen to: the cache is both on the handler and around it. */
const HANDLED = Symbol('rednest:http-cache');

/**
 * Answers requests for what is marked by {@link HttpCache}, which applies it by itself.
 *
 * It need not be registered. As `APP_INTERCEPTOR`, or on a controller, it has its place before other interceptors there: what stands within
 * it runs for a miss only, and what it makes of the response is part of what is stored. Handlers that are not marked are left alone.
 */
@Injectable()
export class HttpCacheInterceptor implements NestInterceptor {
  readonly #modules: ModuleRef;
  readonly #plans = new HandlerPlans();
  readonly #stores = new Map<string | undefined, ResponseStore>();

  constructor(@Inject(CacheService) cache: CacheService, @Inject(ModuleRef) modules: ModuleRef) {
    this.#modules = modules;
    this.#stores.set(undefined, new ResponseStore(cache));
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const plan = this.#plans.of(context);
    const exchange = plan && exchangeOf(context);
    if (!exchange || !takeOver(exchange)) return next.handle();
    const key = isCacheable(exchange.request, plan) ? requestKey(exchange.request, plan) : undefined;
    if (key === undefined) return bypass(exchange, next);
    const store = this.#storeOf(plan.cache);
    const hit = plan.refresh ? undefined : store.hit(key);
    if (hit) {
      replyWith(exchange, plan, hit);
      return of(undefined);
    }
    if (exchange.request.method === 'HEAD') return this.#answerHead(exchange, plan, store, key, next);
    const decision = await store.decide(key, exchange, plan);
    if (decision.kind === 'run') return bypass(exchange, next);
    if (decision.kind === 'throw') return throwError(() => decision.error);
    if (decision.kind === 'make') return this.#make(exchange, plan, decision, next);
    replyWith(exchange, plan, decision.reply);
    return of(undefined);
  }

  /** HEAD makes no entry: a handler may leave out what it would send to GET. */
  async #answerHead(
    exchange: HttpExchange,
    plan: HandlerPlan,
    store: ResponseStore,
    key: string,
    next: CallHandler,
  ): Promise<Observable<unknown>> {
    const reply = await store.peek(key);
    if (reply) {
      replyWith(exchange, plan, reply);
      return of(undefined);
    }
    markCacheStatus(exchange, 'MISS');
    return next.handle();
  }

  /** Runs the handler for all who wait for this response. Where the server fails, a stale response is better than an error. */
  #make(exchange: HttpExchange, plan: HandlerPlan, made: Made, next: CallHandler): Observable<unknown> {
    const { capture } = made;
    markCacheStatus(exchange, 'MISS');
    return next.handle().pipe(
      tap((value) => capture.onValue(value)),
      catchError((error: unknown) => {
        const isStaleBetter = isServerError(error);
        capture.onError(error, isStaleBetter);
        return isStaleBetter ? this.#staleInstead(exchange, plan, made, error) : throwError(() => error);
      }),
      finalize(() => capture.onHandlerOver()),
    );
  }

  async #staleInstead(
    exchange: HttpExchange,
    plan: HandlerPlan,
    made: Made,
    error: unknown,
  ): Promise<undefined> {
    const reply = await made.stale();
    if (!reply || exchange.raw.headersSent) throw error;
    replyWith(exchange, plan, reply);
  }

  #storeOf(cache: string | undefined): ResponseStore {
    const known = this.#stores.get(cache);
    if (known) return known;
    const store = new ResponseStore(this.#modules.get<CacheService>(getCacheToken(cache), { strict: false }));
    this.#stores.set(cache, store);
    return store;
  }
}

/** Whether a request is one for the cache, and no other interceptor of this kind sees to it. */
function takeOver({ request }: HttpExchange): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const marked = request as { [HANDLED]?: boolean };
  if (marked[HANDLED]) return false;
  marked[HANDLED] = true;
  return true;
}

function bypass(exchange: HttpExchange, next: CallHandler): Observable<unknown> {
  markCacheStatus(exchange, 'BYPASS');
  return next.handle();
}
