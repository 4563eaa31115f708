import { Logger, ServiceUnavailableException } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { namespace, type Namespace, type RedisClient, type RedisConnection } from '../../redis/index.js';
import { showValue } from '../../redis/shared.js';
import { checkConnection } from '../adapter-options.js';
import { Breakers } from './breakers.js';
import { type Hit, hitScript, passed, refused, type ThrottlerRecord } from './hit-script.js';
import {
  resolveThrottlerOptions,
  type RedisThrottlerStorageOptions,
  type ResolvedThrottlerOptions,
} from './throttler-options.js';

/** Milliseconds, some hundred thousand years: what Redis can add to the time of day. */
const LONGEST_TTL = 2 ** 52;

/**
 * The storage of `@nestjs/throttler` in Redis: all replicas of an application share one count, which is exact however many requests come at
 * once. A hit is one round trip, and what is counted is what the package's own storage counts: each request that passed, for `ttl` from when it
 * was made. A request over the limit is not counted; with `blockDuration`, it blocks the client for that long, and the count then begins anew.
 *
 * A client that is at its limit takes about 10 bytes of Redis' memory for each hit that counts: with a limit of 1,000, up to 10 KB. What is
 * counted is gone an eighth of `ttl` after the last hit has ceased to count.
 *
 * It differs from the package's own storage where that one's answers are by chance:
 * - `timeToExpire` (`X-RateLimit-Reset`) is when the oldest hit that counts ceases to, or when the block ends.
 * - `totalHits` of a client that is blocked stays what it was, and `timeToBlockExpire` is 0 where it is not.
 * - With a limit of 0 nothing passes, also after a block; a limit of `Infinity` is not counted at all.
 * - Throttlers do not share blocks, even where `generateKey` gives them the same key.
 * - Where `ttl` differs between requests of one key, a hit counts at least until those before it have ceased to.
 *
 * Time is that of the Redis server. Set back, it lets what was counted before count for so much longer, as it does with any expiry.
 *
 * @example
 * ThrottlerModule.forRootAsync({
 *   inject: [getRedisConnectionToken()],
 *   useFactory: (connection: RedisConnection) => ({
 *     throttlers: [{ ttl: 60_000, limit: 100 }],
 *     storage: new RedisThrottlerStorage(connection),
 *   }),
 * });
 */
export class RedisThrottlerStorage implements ThrottlerStorage {
  readonly #options: ResolvedThrottlerOptions;
  readonly #namespace: Namespace;
  readonly #connection: RedisConnection;
  readonly #client: RedisClient;
  /** Of keys, by throttler: making one takes a large part of what a hit does. */
  readonly #prefixes = new Map<string, string>();
  readonly #breakers: Breakers;
  readonly #logger = new Logger(RedisThrottlerStorage.name);

  /**
   * @param connection its shared client is opened when the application starts
   * @throws AdapterConfigurationError for what is no connection, and wrong options; RedisClosedError where the connection was closed
   */
  constructor(connection: RedisConnection, options: RedisThrottlerStorageOptions = {}) {
    checkConnection(RedisThrottlerStorage.name, connection);
    this.#options = resolveThrottlerOptions(options);
    this.#namespace = namespace(this.#options.namespace);
    this.#connection = connection;
    this.#client = connection.client;
    this.#breakers = new Breakers({
      connection,
      budget: this.#options.budget,
      began: (node, reason) => this.#tellBegan(node, reason),
      ended: (milliseconds) => this.#tellEnded(milliseconds),
    });
  }

  /**
   * Counts a hit, where the limit lets it pass. Called by `ThrottlerGuard`.
   *
   * @param key of the client, as the guard makes it
   * @param ttl for how many milliseconds the hit counts
   * @param limit how many hits may count at a time
   * @param blockDuration milliseconds for which a hit over the limit blocks; 0: until the oldest ceases to count
   * @throws ServiceUnavailableException (503) when it could not be counted, with `whenUnavailable: 'refuse'`; RedisError for what is wrong with
   *   the set-up: a user without permission, a key of the namespace that holds something else; TypeError for what is no number, as NaN
   */
  increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    if (!isNumber(ttl) || !isNumber(limit) || !isNumber(blockDuration))
      return Promise.reject(notNumbers({ ttl, limit, blockDuration }));
    const hit: Hit = {
      key: this.#prefixOf(throttlerName) + key,
      ttl: wholeMilliseconds(ttl),
      limit,
      blockDuration: wholeMilliseconds(blockDuration),
    };
    const foregone = foregoneOf(hit);
    if (foregone) return Promise.resolve(foregone);
    return this.#breakers.of(hit.key).run(
      () => hitScript.run(this.#client, hit),
      (cause) => this.#uncounted(hit, cause),
    );
  }

  /** What comes after it needs no escaping: it is the last part, and a slot is that of one key whatever is in it. */
  #prefixOf(throttlerName: string): string {
    let prefix = this.#prefixes.get(throttlerName);
    if (prefix === undefined)
      this.#prefixes.set(throttlerName, (prefix = this.#namespace.key`${throttlerName}:`));
    return prefix;
  }

  async #uncounted({ ttl }: Hit, cause?: Error): Promise<ThrottlerRecord> {
    if (this.#options.whenUnavailable === 'allow') return passed(1, ttl);
    // Nest 11 leaves the description out where there are other options.
    const options = { cause, description: 'Service Unavailable' };
    throw new ServiceUnavailableException('Requests cannot be counted now', options);
  }

  get #isClosing(): boolean {
    const { state } = this.#connection;
    return state === 'closing' || state === 'closed';
  }

  #tellBegan(node: string, reason: string): void {
    if (this.#isClosing) return;
    const what = this.#options.whenUnavailable === 'allow' ? 'pass uncounted' : 'are refused';
    const where = node === '' ? '' : `, node ${node}`;
    this.#logger.warn(
      `Requests ${what}, without Redis connection '${this.#connection.name}'${where}: ${reason}`,
    );
  }

  #tellEnded(milliseconds: number): void {
    if (this.#isClosing) return;
    this.#logger.log(`Requests are counted again, after ${Math.round(milliseconds)} ms`);
  }
}

/** What is known without counting: that nothing passes, or that nothing is refused. */
function foregoneOf({ ttl, limit, blockDuration }: Hit): ThrottlerRecord | undefined {
  if (limit < 1) return refused(1, blockDuration > 0 ? blockDuration : ttl);
  return ttl <= 0 || limit === Infinity ? passed(1, ttl) : undefined;
}

function wholeMilliseconds(milliseconds: number): number {
  return Math.min(Math.max(0, Math.ceil(milliseconds)), LONGEST_TTL);
}

/** What is none would be a limit that nobody is over, or a list that never expires. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value);
}

function notNumbers(given: Readonly<Record<string, unknown>>): TypeError {
  const shown = Object.entries(given).map(([name, value]) => `${name} ${showValue(value)}`);
  return new TypeError(`A hit is counted by numbers only: ${shown.join(', ')}`);
}
