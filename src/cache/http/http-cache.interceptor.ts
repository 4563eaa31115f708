import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isObservable, of, type Observable } from 'rxjs';
import { CacheService } from '../cache.service.js';
import { getCacheToken } from '../cache.tokens.js';
import { exchangeOf } from './exchange-of.js';
import { responderOf, type Responder } from './responder.js';

/**
 * Answers requests for what is marked by {@link HttpCache}, which applies it by itself.
 *
 * It need not be registered. As `APP_INTERCEPTOR`, or on a controller, it has its place before other interceptors there: what stands within
 * it runs for a miss only, and what it makes of the response is part of what is stored. Handlers that are not marked are left alone.
 */
@Injectable()
export class HttpCacheInterceptor implements NestInterceptor {
  readonly #modules: ModuleRef;
  readonly #cache: CacheService;
  readonly #named = new Map<string, Responder>();

  constructor(@Inject(CacheService) cache: CacheService, @Inject(ModuleRef) modules: ModuleRef) {
    this.#modules = modules;
    this.#cache = cache;
  }

  /** Not an async function: a hit would wait for three more turns of the microtask queue. */
  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const plan = responderOf(this.#cache).plans.of(context.getClass(), context.getHandler());
    const http = context.switchToHttp();
    const exchange = plan && exchangeOf(http.getRequest(), http.getResponse());
    if (!exchange) return next.handle();
    const answer = this.#responder(plan.cache).answer(exchange, plan, () => next.handle());
    return answer instanceof Promise ? answer.then(asObservable) : asObservable(answer);
  }

  #responder(name: string | undefined): Responder {
    if (name === undefined) return responderOf(this.#cache);
    const known = this.#named.get(name);
    if (known) return known;
    const responder = responderOf(this.#modules.get<CacheService>(getCacheToken(name), { strict: false }));
    this.#named.set(name, responder);
    return responder;
  }
}

function asObservable(answer: unknown): Observable<unknown> {
  return isObservable(answer) ? answer : of(answer);
}
