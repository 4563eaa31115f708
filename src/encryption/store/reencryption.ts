import { toRedisError, type RedisConnection } from '../../redis/index.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { settlesBefore } from '../../timing/settles-before.js';
import type { EncryptionEventPublisher } from '../encryption-events.js';
import { logger } from '../encryption-logger.js';
import type { Envelopes, Opened } from '../envelope/envelopes.js';
import { showKeyId } from '../keys/key-id.js';
import { HEADER_LENGTH, isEnvelope } from '../envelope/header.js';
import { NONCE_LENGTH } from '../suites/key-derivation.js';
import type { ResolvedEncryptionOptions } from '../options/resolved-options.js';
import type { Location } from './location.js';
import { replaceField, replaceValue } from './replace-scripts.js';
import { Truces } from './truces.js';

/** How many are under way at a time. What is read beyond that is left for the next time that it is read. */
const MOST_AT_ONCE = 64;
/** Milliseconds after a failure in which nothing is tried: a replica, or a server whose memory is full, refuses the next one too. */
const PAUSE = 1_000;
/** Milliseconds that a shutdown waits for what is under way. */
const STOP_TIMEOUT = 1_000;

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
  readonly #truces = new Truces();
  #pausedUntil = -Infinity;
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
    if (this.#isStopped || this.#underWay.size >= MOST_AT_ONCE) return;
    const { keyId } = value.opened;
    if (performance.now() < this.#pausedUntil || (keyId !== undefined && this.#truces.holds(keyId))) return;
    const id = idOf(value.location);
    if (this.#underWay.has(id) || (keyId !== undefined && this.#isUndone(id, keyId))) return;
    const task = this.replace(value)
      .then(
        (isReplaced) => void (isReplaced && keyId !== undefined && this.#truces.remember(id, keyId)),
        (error: unknown) => this.#onFailure(error),
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
    // What was not encrypted may be what the reader got, and changes before it is sent.
    const start = isEnvelope(raw) ? raw.subarray(0, UNIQUE) : Buffer.from(raw);
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

  /** Waits for what is under way, but not for a Redis that does not answer. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#underWay.size === 0) return;
    await settlesBefore(Promise.all(this.#underWay.values()), performance.now() + STOP_TIMEOUT);
  }

  #isUndone(id: string, keyId: number): boolean {
    if (!this.#truces.beginIfBack(id, keyId)) return false;
    logger.log(
      `Another process writes with key ${showKeyId(keyId)}: what is under it is not encrypted anew for ten minutes`,
    );
    return true;
  }

  #onFailure(error: unknown): void {
    this.#pausedUntil = performance.now() + PAUSE;
    // The connection was closed: whoever reads it next will see to it.
    if (this.#isStopped) return;
    const { message } = toRedisError(error) ?? (error as Error);
    this.#warnings.warn('reencryption', `A value could not be encrypted under the primary key: ${message}`);
  }
}

function idOf({ redisKey, field }: Location): string {
  return JSON.stringify([redisKey, field]);
}
