import { LRUCache } from 'lru-cache';
import { toRedisError, type RedisConnection } from '../../redis/index.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import type { EncryptionEventPublisher } from '../encryption-events.js';
import { logger } from '../encryption-logger.js';
import type { Envelopes, Opened } from '../envelope/envelopes.js';
import { isEnvelope } from '../envelope/header.js';
import { showKeyId } from '../keys/key-id.js';
import { HEADER_LENGTH } from '../envelope/header.js';
import { NONCE_LENGTH } from '../suites/key-derivation.js';
import type { ResolvedEncryptionOptions } from '../options/resolved-options.js';
import type { Location } from './location.js';
import { replaceField, replaceValue } from './replace-scripts.js';

/** How many are under way at a time. What is read beyond that is left for the next time that it is read. */
const MOST_AT_ONCE = 64;
/** How many values are remembered, to notice that another replica writes them under a key that this one does not write with. */
const REMEMBERED = 1_000;
/** How long, in milliseconds, what is under such a key is left alone. */
const TRUCE = 600_000;

/** What tells an envelope from any other: no two have the same nonce. */
const UNIQUE = HEADER_LENGTH + NONCE_LENGTH;

/** A value as it was read. */
export interface ReadValue {
  readonly location: Location;
  readonly raw: Buffer;
  readonly opened: Opened;
}

/** Encrypts values in Redis anew: under the primary key, where they are, if nobody has changed them meanwhile. */
export class Reencryption {
  readonly #connection: RedisConnection;
  readonly #envelopes: Envelopes;
  readonly #options: ResolvedEncryptionOptions;
  readonly #events: EncryptionEventPublisher;
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #done = new LRUCache<string, number>({ max: REMEMBERED });
  /** Keys, by id, that another replica writes with; and until when. */
  readonly #truces = new Map<number, number>();
  #isStopped = false;

  constructor(
    connection: RedisConnection,
    envelopes: Envelopes,
    options: ResolvedEncryptionOptions,
    events: EncryptionEventPublisher,
  ) {
    this.#connection = connection;
    this.#envelopes = envelopes;
    this.#options = options;
    this.#events = events;
  }

  /** Encrypts a value anew in the background, if it is to be. Failures are warned of: it will be read again. */
  schedule(value: ReadValue): void {
    const { keyId } = value.opened;
    const id = idOf(value.location);
    if (this.#isStopped || this.#underWay.has(id) || this.#underWay.size >= MOST_AT_ONCE) return;
    if (keyId !== undefined && !this.#isToBeReplaced(id, keyId)) return;
    const task = this.replace(value)
      .then(
        (isReplaced) => void (isReplaced && keyId !== undefined && this.#done.set(id, keyId)),
        (error: unknown) => this.#warn(error),
      )
      .finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, task);
  }

  /**
   * Encrypts a value anew, under the primary key.
   *
   * @returns whether it was still there
   * @throws RedisError
   */
  async replace({ location, raw, opened }: ReadValue): Promise<boolean> {
    const { suite } = this.#options;
    const replacement = this.#envelopes.seal(opened, location, { suite, binding: opened.binding });
    const start = isEnvelope(raw) ? raw.subarray(0, UNIQUE) : raw;
    const script = location.field === '' ? replaceValue : replaceField;
    const { redisKey, field, namespace, key } = location;
    const isReplaced = await script.run(this.#connection.client, {
      redisKey,
      field,
      start,
      length: raw.length,
      replacement,
    });
    if (!isReplaced) return false;
    this.#events.counts.reencrypted++;
    if (opened.keyId === undefined) this.#events.counts.migrated++;
    this.#events.publish('reencrypted', {
      namespace,
      key,
      field,
      from: opened.keyId === undefined ? undefined : showKeyId(opened.keyId),
      to: this.#options.ring.primary.name,
    });
    return true;
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#underWay.values());
  }

  /**
   * While a new key is promoted, replicas that write with the old one are still there: each would undo what the other does. A value that was
   * encrypted anew and comes back under the same key shows that someone writes with it.
   */
  #isToBeReplaced(id: string, keyId: number): boolean {
    const now = performance.now();
    if (this.#done.get(id) === keyId) {
      this.#done.delete(id);
      this.#truces.set(keyId, now + TRUCE);
    }
    return now >= (this.#truces.get(keyId) ?? 0);
  }

  #warn(error: unknown): void {
    const { message } = toRedisError(error) ?? (error as Error);
    this.#warnings.warn('reencryption', `A value could not be encrypted under the primary key: ${message}`);
  }
}

function idOf({ redisKey, field }: Location): string {
  return JSON.stringify([redisKey, field]);
}
