import type { CacheService } from '../cache.service.js';
import type { CacheResult, FactoryContext, GetOrSetOptions } from '../options/cache-options.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpExchange } from './http-exchange.js';
import { ResponseCapture } from './response-capture.js';
import { ABANDONED, NOT_STORED } from './stored-response.js';

/** The capture if this request makes the response, the cache's answer if not, undefined if the cache has failed. */
export type Decided = ResponseCapture | CacheResult<unknown> | undefined;

/** One request's question for one response. */
export class Asking {
  /** The cache's answer, or undefined where it has none; never rejects. */
  readonly result: Promise<CacheResult<unknown> | undefined>;
  /** What becomes of this request, as soon as that is known. */
  readonly decided: Promise<Decided>;
  readonly #cache: CacheService;
  readonly #key: string;
  readonly #exchange: HttpExchange;
  readonly #plan: HandlerPlan;
  #decide!: (decision: Decided) => void;
  #isDecided = false;

  constructor(
    cache: CacheService,
    key: string,
    exchange: HttpExchange,
    plan: HandlerPlan,
    options: GetOrSetOptions,
  ) {
    this.#cache = cache;
    this.#key = key;
    this.#exchange = exchange;
    this.#plan = plan;
    this.decided = new Promise((resolve) => (this.#decide = resolve));
    this.result = cache
      .getOrSetEntry<unknown>(key, (context) => this.#make(context), options)
      // The cache's fault, or that of the handler of the request that was waited for: each runs its own.
      .then(this.#answer, () => this.#answer(undefined));
  }

  readonly #answer = (result: CacheResult<unknown> | undefined): CacheResult<unknown> | undefined => {
    this.#isDecided = true;
    this.#decide(result);
    return result;
  };

  /** The factory: starts to watch this request's response, and lets its handler run. */
  async #make(context: FactoryContext): Promise<unknown> {
    if (this.#isDecided) {
      // The request has got a stale response already, and there is none any more that could be made.
      context.skip();
      return context.stale;
    }
    const capture = new ResponseCapture(this.#exchange, this.#plan);
    this.#isDecided = true;
    this.#decide(capture);
    const outcome = await capture.outcome;
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'stored') {
      const { ttl, staleFor } = outcome.terms;
      if (ttl !== undefined) context.ttl(ttl);
      if (staleFor !== undefined) context.staleFor(staleFor);
      return outcome.response;
    }
    context.skip();
    if (outcome.kind === 'abandoned') return ABANDONED;
    // There is an answer, and it is another one than what is stored.
    if (context.stale !== undefined) await this.#cache.delete(this.#key);
    return NOT_STORED;
  }
}
