import {
  catchError,
  finalize,
  from,
  isObservable,
  lastValueFrom,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import type { CacheService } from '../cache.service.js';
import { HandlerPlans, type HandlerPlan } from './handler-plan.js';
import type { HttpExchange, HttpRequest } from './http-exchange.js';
import { isCacheable } from './request-rules.js';
import { plainKey, requestKey } from './request-key.js';
import { ResponseStore, type Made } from './response-store.js';
import { markCacheStatus } from './sent-headers.js';
import { isServerError } from './server-error.js';
import { replyWith } from './stored-reply.js';

/** Runs the handler, and what stands between it and the cache: gives what Nest is to send, a promise of it, or an Observable. */
export type Run = () => unknown;

/** On a request whose response is being seen to: the cache may be both on the handler and around it. */
const HANDLED = Symbol('rednest:http-cache');

/** Each lives and dies with its cache, which an application has for itself. */
const responders = new WeakMap<CacheService, Responder>();

export function responderOf(cache: CacheService): Responder {
  const known = responders.get(cache);
  if (known) return known;
  const responder = new Responder(cache);
  responders.set(cache, responder);
  return responder;
}

/** Answers requests from one cache, and has handlers run for it. */
export class Responder {
  readonly plans = new HandlerPlans();
  readonly #store: ResponseStore;

  constructor(cache: CacheService) {
    this.#store = new ResponseStore(cache);
  }

  /**
   * What Nest is to send in answer to a request: what the handler gives, or undefined where a stored response is sent instead.
   *
   * @returns at once for a hit in the memory of this process, a promise for all that has to wait
   */
  answer(exchange: HttpExchange, plan: HandlerPlan, run: Run): unknown {
    if (isElsewhere(exchange.request)) return run();
    const key = keyOf(exchange.request, plan);
    const hit = key === undefined || plan.refresh ? undefined : this.#store.hit(key);
    if (hit) return replyWith(exchange, plan, hit);
    (exchange.request as { [HANDLED]?: boolean })[HANDLED] = true;
    return key === undefined ? bypass(exchange, run) : this.#answerLater(key, exchange, plan, run);
  }

  async #answerLater(key: string, exchange: HttpExchange, plan: HandlerPlan, run: Run): Promise<unknown> {
    if (exchange.request.method === 'HEAD') return this.#answerHead(key, exchange, plan, run);
    const decision = await this.#store.decide(key, exchange, plan);
    if (decision.kind === 'run') return bypass(exchange, run);
    if (decision.kind === 'throw') throw decision.error;
    if (decision.kind === 'make') return this.#make(exchange, plan, decision, run);
    return replyWith(exchange, plan, decision.reply);
  }

  /** HEAD makes no entry: a handler may leave out what it would send to GET. */
  async #answerHead(key: string, exchange: HttpExchange, plan: HandlerPlan, run: Run): Promise<unknown> {
    const reply = await this.#store.peek(key);
    if (reply) return replyWith(exchange, plan, reply);
    markCacheStatus(exchange, 'MISS');
    return run();
  }

  /** Runs the handler for all who wait for this response. */
  async #make(exchange: HttpExchange, plan: HandlerPlan, made: Made, run: Run): Promise<unknown> {
    markCacheStatus(exchange, 'MISS');
    const running = (async () => run())();
    const given = await running.catch(() => undefined);
    // Nest ends the Observable of a handler when its client goes away, and lets a promise come to its end.
    if (isObservable(given)) return this.#watch(given, exchange, plan, made);
    return lastValueFrom(this.#watch(from(running), exchange, plan, made));
  }

  /** Where the server fails, a stale response is better than an error. */
  #watch(
    given: Observable<unknown>,
    exchange: HttpExchange,
    plan: HandlerPlan,
    made: Made,
  ): Observable<unknown> {
    const { capture } = made;
    return given.pipe(
      tap((value) => capture.onValue(value)),
      catchError((error: unknown) => {
        const isStaleBetter = isServerError(error);
        capture.onError(error, isStaleBetter);
        return isStaleBetter ? this.#staleInstead(exchange, plan, made, error) : throwError(() => error);
      }),
      finalize(() => capture.onHandlerOver()),
    );
  }

  async #staleInstead(exchange: HttpExchange, plan: HandlerPlan, made: Made, error: unknown): Promise<void> {
    const reply = await made.stale();
    if (!reply || exchange.raw.headersSent) throw error;
    replyWith(exchange, plan, reply);
  }
}

/** Undefined for a request that is to be handled without the cache. */
function keyOf(request: HttpRequest, plan: HandlerPlan): string | undefined {
  return plainKey(request, plan) ?? (isCacheable(request, plan) ? requestKey(request, plan) : undefined);
}

/** Whether a request is none for the cache, or one that is being seen to further out. */
function isElsewhere(request: HttpRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return true;
  return (request as { [HANDLED]?: boolean })[HANDLED] === true;
}

function bypass(exchange: HttpExchange, run: Run): unknown {
  markCacheStatus(exchange, 'BYPASS');
  return run();
}
