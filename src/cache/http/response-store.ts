import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { CacheService } from '../cache.service.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import type { CacheResult, GetOrSetOptions } from '../options/cache-options.js';
import { checkTags } from '../options/call-options.js';
import { Asking, type AskingContext, type Decided } from './asking.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpExchange, HttpRequest } from './http-exchange.js';
import type { ResponseCapture } from './response-capture.js';
import { asStoredResponse, isAbandoned } from './stored-response.js';
import type { Reply } from './stored-reply.js';

/**
 * How long a request that finds a stale response waits to hear whether it is the one that refreshes it: a round trip to Redis. Only one in
 * each process waits at a time.
 */
const REFRESH_DECISION = 50;

/** How often one waits for another who then goes away, before one makes the response oneself. */
const ATTEMPTS = 3;

/** How long, in milliseconds, nobody waits for others where a response that many waited for could not be stored ("hit-for-miss"). */
const NO_WAITING = 2_000;
const NO_WAITING_KEYS = 1_000;

/** The request makes the response, and its handler is to run. */
export interface Made {
  readonly kind: 'make';
  readonly capture: ResponseCapture;
  /** The stale response that there is, if any, once it is known that making a new one has failed. */
  stale(): Promise<Reply | undefined>;
}

export type Decision =
  | Made
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** The handler of another request, which this one waited for, has thrown this. */
  | { readonly kind: 'throw'; readonly error: unknown }
  /** The handler is to run, for this request alone. */
  | { readonly kind: 'run' };

type Result = CacheResult<unknown>;

const RUN: Decision = { kind: 'run' };

/** Responses in one cache: who sends one, who makes it, and who has to go without. */
export class ResponseStore {
  readonly #cache: CacheService;
  /** Keys that a request of this process is asking for, and might have to refresh. */
  readonly #asked = new Set<string>();
  /** Keys whose response turned out to be for one request only, until the cache is done with that. */
  readonly #ending = new Map<string, Promise<unknown>>();
  readonly #unstorable = new LRUCache<string, true>({ max: NO_WAITING_KEYS, ttl: NO_WAITING });

  readonly #logger = new Logger('CacheModule');
  readonly #warnings = new LimitedWarnings((message) => this.#logger.warn(message));
  readonly #context: AskingContext;

  constructor(cache: CacheService) {
    this.#cache = cache;
    this.#context = { cache, thrown: new WeakSet(), report: (error) => this.#report(error) };
  }

  /** What can be sent at once, from the memory of this process. */
  hit(key: string): Reply | undefined {
    // What stands in for a cache in a test has what is public only.
    const result = (this.#cache as Partial<CacheService>).hitLocally?.(key);
    return result && replyOf(result);
  }

  /** Says what becomes of a request. Whatever the cache does, it does not fail. @throws what the user's own functions throw, TypeError for tags */
  async decide(key: string, exchange: HttpExchange, plan: HandlerPlan): Promise<Decision> {
    if (this.#unstorable.size > 0 && this.#unstorable.has(key)) return RUN;
    const options = optionsFor(exchange, plan);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const decision = await this.#ask(key, exchange, plan, options);
      if (decision) return decision;
    }
    return RUN;
  }

  /** What is stored, without making anything. */
  async peek(key: string): Promise<Reply | undefined> {
    try {
      const response = asStoredResponse(await this.#cache.get(key, { stale: true }));
      if (!response) return undefined;
      const { state, age = 0, freshFor = 0 } = await this.#cache.inspect(key);
      if (state !== 'fresh' && state !== 'stale') return undefined;
      const status = state === 'fresh' ? 'HIT' : 'STALE';
      return { response, status, freshness: { age, lifetime: status === 'HIT' ? age + freshFor : 0 } };
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** Undefined: ask again, the one who was making the response is gone. */
  async #ask(
    key: string,
    exchange: HttpExchange,
    plan: HandlerPlan,
    options: GetOrSetOptions,
  ): Promise<Decision | undefined> {
    if (this.#ending.size > 0) await this.#ending.get(key);
    const isFirst = !this.#asked.has(key);
    if (isFirst) this.#asked.add(key);
    const waits = isFirst && plan.stale > 0 ? { ...options, softTimeout: REFRESH_DECISION } : options;
    const asking = new Asking(this.#context, key, exchange, plan, waits);
    const { result } = asking;
    const decided = await decidedWithin(asking, plan.waitTimeout);
    if (decided.kind === 'make') {
      const { capture } = decided;
      void this.#follow(key, capture, result).finally(() => isFirst && this.#asked.delete(key));
      return { kind: 'make', capture, stale: () => staleOf(result) };
    }
    if (isFirst) this.#asked.delete(key);
    if (decided.kind === 'failed') return { kind: 'throw', error: decided.error };
    if (decided.kind === 'answer') return this.#decisionOn(key, decided.result);
    // Who comes next is not to wait as long for what may hang.
    if (decided.kind === 'late') this.#unstorable.set(key, true);
    return RUN;
  }

  /** Until the cache is done. Who comes when it is known that there will be no response for others does not wait for that one. */
  async #follow(key: string, capture: ResponseCapture, result: Promise<unknown>): Promise<void> {
    const { kind } = await capture.outcome;
    if (kind !== 'stored') this.#ending.set(key, result);
    await result;
    if (this.#ending.get(key) === result) this.#ending.delete(key);
  }

  #report(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#warnings.warn(
      'fault',
      `Cache '${this.#cache.name}' has failed, and handlers of @HttpCache run for each request: ${reason}`,
    );
  }

  #decisionOn(key: string, result: Result): Decision | undefined {
    const reply = replyOf(result);
    if (reply) return { kind: 'reply', reply };
    if (isAbandoned(result.value)) return undefined;
    this.#unstorable.set(key, true);
    return RUN;
  }
}

async function decidedWithin(asking: Asking, timeout: number): Promise<Decided> {
  const timer = setTimeout(() => asking.giveUp(), timeout);
  try {
    return await asking.decided;
  } finally {
    clearTimeout(timer);
  }
}

function optionsFor({ request }: HttpExchange, plan: HandlerPlan): GetOrSetOptions {
  const { tags, refresh, entryOptions } = plan;
  const forceRefresh = refresh?.(request) === true;
  if (typeof tags !== 'function' && !forceRefresh) return entryOptions;
  return {
    ...entryOptions,
    ...(typeof tags === 'function' && { tags: tagsOf(request, plan, tags) }),
    forceRefresh,
  };
}

function tagsOf(
  request: HttpRequest,
  { subject }: HandlerPlan,
  tags: (request: HttpRequest) => unknown,
): readonly string[] {
  const returned = tags(request);
  // Nobody is going to wait for it.
  if (returned instanceof Promise) returned.catch(() => undefined);
  checkTags(returned, `${subject}: tags`);
  return returned;
}

function replyOf(result: Result): Reply | undefined {
  const response = asStoredResponse(result.value);
  if (!response) return undefined;
  const { age, freshFor } = result;
  const lifetime = freshFor > 0 ? age + freshFor : 0;
  // Who has waited for another's handler has not run his own.
  const status = result.status === 'stale' ? 'STALE' : 'HIT';
  return { response, status, freshness: { age, lifetime } };
}

async function staleOf(result: Promise<Result | undefined>): Promise<Reply | undefined> {
  const settled = await result;
  return settled?.status === 'stale' ? replyOf(settled) : undefined;
}
