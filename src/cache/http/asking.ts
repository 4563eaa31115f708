import type { CacheService } from '../cache.service.js';
import type { CacheResult, FactoryContext, GetOrSetOptions } from '../options/cache-options.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpExchange } from './http-exchange.js';
import { ResponseCapture } from './response-capture.js';
import { ABANDONED, NOT_STORED } from './stored-response.js';

/** What becomes of a request. */
export type Decided =
  | { readonly kind: 'make'; readonly capture: ResponseCapture }
  | { readonly kind: 'answer'; readonly result: CacheResult<unknown> }
  /** The handler of the request that was waited for has thrown this. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The cache has no answer, by a fault of its own. */
  | { readonly kind: 'none' }
  /** It took too long. */
  | { readonly kind: 'late' };

/** What all requests for the responses of one cache share. */
export interface AskingContext {
  readonly cache: CacheService;
  /** What handlers have thrown: an error that the cache passes on is theirs, or else its own. */
  readonly thrown: WeakSet<object>;
  /** Told of the cache's own faults. */
  readonly report: (error: unknown) => void;
}

/** One request's question for one response. */
export class Asking {
  /** The cache's answer, or undefined where it has none; never rejects. */
  readonly result: Promise<CacheResult<unknown> | undefined>;
  /** What becomes of this request, as soon as that is known. */
  readonly decided: Promise<Decided>;
  readonly #context: AskingContext;
  readonly #key: string;
  readonly #exchange: HttpExchange;
  readonly #plan: HandlerPlan;
  #decide!: (decision: Decided) => void;
  #isDecided = false;

  constructor(
    context: AskingContext,
    key: string,
    exchange: HttpExchange,
    plan: HandlerPlan,
    options: GetOrSetOptions,
  ) {
    this.#context = context;
    this.#key = key;
    this.#exchange = exchange;
    this.#plan = plan;
    this.decided = new Promise((resolve) => (this.#decide = resolve));
    this.result = this.#ask(options);
  }

  /** Decides for those who do not want to wait any longer, if nothing is decided. */
  giveUp(): void {
    this.#settle({ kind: 'late' });
  }

  async #ask(options: GetOrSetOptions): Promise<CacheResult<unknown> | undefined> {
    try {
      const make = (context: FactoryContext): Promise<unknown> => this.#make(context);
      const result: CacheResult<unknown> | undefined = await this.#context.cache.getOrSetEntry<unknown>(
        this.#key,
        make,
        options,
      );
      // What stands in for a cache in a test may have nothing to say.
      this.#settle(result ? { kind: 'answer', result } : { kind: 'none' });
      return result;
    } catch (error) {
      const isOfHandler = typeof error === 'object' && error !== null && this.#context.thrown.has(error);
      if (!isOfHandler && !(error instanceof UnstorableError)) this.#context.report(error);
      this.#settle(isOfHandler ? { kind: 'failed', error } : { kind: 'none' });
      return undefined;
    }
  }

  #settle(decided: Decided): void {
    this.#isDecided = true;
    this.#decide(decided);
  }

  /** The factory: starts to watch this request's response, and lets its handler run. */
  async #make(context: FactoryContext): Promise<unknown> {
    if (this.#isDecided) {
      // The request has got a stale response already, or waits no more, and there is none that could be made.
      context.skip();
      return context.stale ?? ABANDONED;
    }
    const capture = new ResponseCapture(this.#exchange, this.#plan);
    this.#settle({ kind: 'make', capture });
    const outcome = await capture.outcome;
    if (outcome.kind === 'thrown' && typeof outcome.error === 'object' && outcome.error !== null) {
      this.#context.thrown.add(outcome.error);
      throw outcome.error;
    }
    if (outcome.kind === 'thrown') throw new UnstorableError(500);
    if (outcome.kind === 'failed') throw new UnstorableError(outcome.status);
    if (outcome.kind === 'stored') {
      const { ttl, staleFor } = outcome.terms;
      if (ttl !== undefined) context.ttl(ttl);
      if (staleFor !== undefined) context.staleFor(staleFor);
      return outcome.response;
    }
    context.skip();
    if (outcome.kind === 'abandoned') return ABANDONED;
    // There is an answer, and it is another one than what is stored.
    if (context.stale !== undefined) await this.#context.cache.delete(this.#key);
    return NOT_STORED;
  }
}

/** An answer that says that the server failed, for the one who asked. */
class UnstorableError extends Error {
  override readonly name = 'UnstorableError';

  constructor(status: number) {
    super(`The handler answered ${status}`);
  }
}
