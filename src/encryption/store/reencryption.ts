import type { RedisConnection } from '../../redis/index.js';
import type { BackgroundWork } from '../background/background-work.js';
import type { EncryptionEventPublisher } from '../encryption-events.js';
import type { Envelopes, Opened } from '../envelope/envelopes.js';
import { showKeyId } from '../keys/key-id.js';
import { isEnvelope, NONCE_END } from '../envelope/header.js';
import { isAsStrongBinding } from '../envelope/strength.js';
import type { ResolvedEncryptionOptions } from '../options/resolved-options.js';
import type { Location } from './location.js';
import { replaceField, replaceValue } from './replace-scripts.js';

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
  readonly #background: BackgroundWork;

  constructor(
    connection: RedisConnection,
    envelopes: Envelopes,
    options: ResolvedEncryptionOptions,
    {
      events,
      background,
    }: { readonly events: EncryptionEventPublisher; readonly background: BackgroundWork },
  ) {
    this.#connection = connection;
    this.#envelopes = envelopes;
    this.#options = options;
    this.#events = events;
    this.#background = background;
  }

  /** Encrypts a value anew in the background, if it is to be. */
  schedule(value: ReadValue): void {
    const { location, opened } = value;
    const name = JSON.stringify(['value', location.redisKey, location.field]);
    const fault = 'A value could not be encrypted under the primary key';
    this.#background.scheduleRenewal({ name, fault, keyId: opened.keyId }, () => this.replace(value));
  }

  /**
   * Encrypts a value anew, under the primary key.
   *
   * @returns whether it was still there
   * @throws RedisError
   */
  async replace({ location, raw, opened }: ReadValue): Promise<boolean> {
    const { written } = this.#options;
    // What is bound to more than is asked for stays so.
    const binding = isAsStrongBinding(opened.binding, written.binding) ? opened.binding : written.binding;
    const replacement = this.#envelopes.seal(opened, location, { suite: written.suite, binding });
    // What was not encrypted may be what the reader got, and changes before it is sent.
    const start = isEnvelope(raw) ? raw.subarray(0, NONCE_END) : Buffer.from(raw);
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
}
