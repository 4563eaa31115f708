import { Injectable } from '@nestjs/common';
import type { RedisClient } from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import { EncryptionTamperedError } from '../encryption-errors.js';
import type { EncryptionParts } from '../encryption-parts.js';
import { EncryptionService } from '../encryption.service.js';
import type { RotationOptions, SweepOptions } from '../rotation/rotation-options.js';
import type { KeyUsageReport, RotationReport } from '../rotation/rotation-report.js';
import { subjectOf } from '../envelope/place.js';
import { Rotation } from '../rotation/rotation.js';
import { resolveContext } from '../options/resolve-context.js';
import {
  checkKeys,
  checkName,
  entriesOf,
  resolveNamespace,
  resolveStoreOptions,
  resolveTtl,
} from './check-store-call.js';
import { locationOf, type Location } from './location.js';
import type { ContextOptions, SetManyOptions, SetOptions } from './store-options.js';
import { writeFields } from './write-fields.js';

/**
 * Encrypted values in Redis, and fields of hashes. Each is bound to the namespace, its key and its field: none can stand in for another.
 * Buffers, texts and what JSON can write come back as they were.
 *
 * Reading rejects with EncryptionTamperedError, EncryptionUnknownKeyError or EncryptionNotEncryptedError where it is not what this
 * application has written there. All methods reject with RedisError, and with EncryptionConfigurationError for wrong arguments.
 *
 * @example
 * await store.set(key`card:${id}`, card, { ttl: '30d' });
 * const card = await store.get<Card>(key`card:${id}`);
 */
@Injectable()
export class EncryptedStore {
  readonly #service: EncryptionService;
  readonly #parts: EncryptionParts;
  readonly #namespace: string;

  /** @internal `EncryptionModule` makes the store of its namespace; see {@link namespace} for others. */
  constructor(service: EncryptionService, namespace?: string) {
    this.#service = service;
    this.#parts = EncryptionService.partsOf(service);
    this.#namespace = namespace ?? this.#parts.options.namespace;
  }

  /** First part of every key in Redis. */
  get name(): string {
    return this.#namespace;
  }

  /** The store of another namespace, with the same keys and options. */
  namespace(name: string): EncryptedStore {
    return new EncryptedStore(this.#service, resolveNamespace(name));
  }

  /** The value of a key, or undefined where there is none. */
  async get<T = unknown>(key: string, options?: ContextOptions): Promise<T | undefined> {
    const call = 'EncryptedStore.get';
    const location = this.#locate(call, key, { context: resolveContext(call, options) });
    return this.#read(await orRedisError(this.#client.getBuffer(location.redisKey)), location) as
      T | undefined;
  }

  /** Writes a value, with a time to live or for ever. @returns whether it was written: always, without a `condition` */
  async set(key: string, value: unknown, options?: SetOptions): Promise<boolean> {
    const call = 'EncryptedStore.set';
    const { ttl, condition } = resolveStoreOptions(call, options);
    const location = this.#locate(call, key, { context: options?.context });
    const raw = this.#parts.values.write(value, location);
    const words = [
      ...(ttl === 'keep' ? ['KEEPTTL'] : ttl ? ['PX', ttl] : []),
      ...(condition ? [condition] : []),
    ];
    // The driver's types know each order of the words by itself.
    const set = this.#client.set.bind(this.#client) as (...args: unknown[]) => Promise<'OK' | null>;
    return (await orRedisError(set(location.redisKey, raw, ...words))) === 'OK';
  }

  /** @returns how many of the keys there were, of values and of hashes */
  async delete(...keys: string[]): Promise<number> {
    const call = 'EncryptedStore.delete';
    const locations = keys.map((key) => this.#locate(call, key));
    const replies = locations.map(({ redisKey }) => this.#client.unlink(redisKey));
    const removed = await orRedisError(Promise.all(replies));
    return removed.reduce((sum, each) => sum + each, 0);
  }

  /** The values of some keys in one round trip, in their order; undefined where there is none. Rejects where one is refused. */
  async getMany<T = unknown>(keys: readonly string[], options?: ContextOptions): Promise<(T | undefined)[]> {
    const call = 'EncryptedStore.getMany';
    const context = resolveContext(call, options);
    const locations = checkKeys(call, keys).map((key) => this.#locate(call, key, { context }));
    const replies = locations.map(({ redisKey }) => this.#client.getBuffer(redisKey));
    const raws = await orRedisError(Promise.all(replies));
    return raws.map((raw, position) => this.#read(raw, locations[position]!) as T | undefined);
  }

  /** Writes some values in one round trip. When it rejects, some may have been written. */
  async setMany(
    values: Readonly<Record<string, unknown>> | Iterable<readonly [key: string, value: unknown]>,
    options?: SetManyOptions,
  ): Promise<void> {
    const call = 'EncryptedStore.setMany';
    const ttl = resolveTtl(call, options);
    // All are encrypted before the first is sent: one that cannot be must not leave half of them written.
    const raws = entriesOf(call, 'values', values).map(([key, value]) => {
      const location = this.#locate(call, key, { context: options?.context });
      return [location.redisKey, this.#parts.values.write(value, location)] as const;
    });
    const replies = raws.map(([redisKey, raw]) =>
      ttl ? this.#client.set(redisKey, raw, 'PX', ttl) : this.#client.set(redisKey, raw),
    );
    await orRedisError(Promise.all(replies));
  }

  /** A field of a hash, or undefined where there is none. */
  async hget<T = unknown>(key: string, field: string, options?: ContextOptions): Promise<T | undefined> {
    const call = 'EncryptedStore.hget';
    const context = resolveContext(call, options);
    const location = this.#locate(call, key, { context, field: checkName(call, 'field', field) });
    return this.#read(await orRedisError(this.#client.hgetBuffer(location.redisKey, field)), location) as
      T | undefined;
  }

  /** Writes fields of a hash; others stay. */
  async hset(
    key: string,
    fields: Readonly<Record<string, unknown>> | Iterable<readonly [field: string, value: unknown]>,
    options?: SetManyOptions,
  ): Promise<void> {
    const call = 'EncryptedStore.hset';
    const ttl = resolveTtl(call, options);
    const { redisKey } = this.#locate(call, key);
    const words = entriesOf(call, 'fields', fields).flatMap(([field, value]) => {
      const location = this.#locate(call, key, {
        context: options?.context,
        field: checkName(call, 'field', field),
      });
      return [field, this.#parts.values.write(value, location)];
    });
    if (words.length === 0) return;
    if (ttl === undefined) await orRedisError(this.#client.hset(redisKey, words));
    else await writeFields.run(this.#client, { redisKey, words, ttl });
  }

  /** @returns how many of the fields there were */
  async hdel(key: string, ...fields: string[]): Promise<number> {
    const call = 'EncryptedStore.hdel';
    const { redisKey } = this.#locate(call, key);
    const names = fields.map((field) => checkName(call, 'field', field));
    return names.length === 0 ? 0 : orRedisError(this.#client.hdel(redisKey, names as never));
  }

  /** All fields of a hash: none where there is no hash. Rejects where one is refused. */
  async hgetall<T = unknown>(key: string, options?: ContextOptions): Promise<Record<string, T>> {
    const call = 'EncryptedStore.hgetall';
    const context = resolveContext(call, options);
    const { redisKey } = this.#locate(call, key);
    const raws = await orRedisError(this.#client.hgetallBuffer(redisKey));
    const entries = Object.entries(raws).map(([field, raw]) => {
      const location = this.#locate(call, key, { context, field });
      if (field === '') throw this.#refusal(location);
      return [field, this.#read(raw, location) as T] as const;
    });
    return Object.fromEntries(entries);
  }

  /**
   * Encrypts what is under other keys anew, under the primary key: values, fields of hashes and entries of blind indexes, each where it
   * stands if it has not changed meanwhile, and with its time to live. Then counts what is under which key.
   *
   * It walks through the keys of every master with `SCAN`, a few at a time, and can be stopped and resumed. Reads and writes go on meanwhile.
   *
   * @example
   * const { usage } = await store.rotate({ onProgress: ({ done, total }) => bar.update(done, { total }) });
   * usage?.removable; // keys that can be taken out of ENCRYPTION_DECRYPT_KEYS
   */
  rotate(options?: RotationOptions): Promise<RotationReport> {
    return new Rotation(this.#parts, this.#namespace).rotate(options);
  }

  /** Counts what is under which key, as {@link rotate} does in the end, and changes nothing. */
  keyUsage(options?: SweepOptions): Promise<KeyUsageReport> {
    return new Rotation(this.#parts, this.#namespace).count(options);
  }

  get #client(): RedisClient {
    return this.#parts.connection.client;
  }

  #locate(
    call: string,
    key: string,
    { context, field = '' }: { context?: string | Uint8Array | undefined; field?: string } = {},
  ): Location {
    return locationOf(this.#namespace, checkName(call, 'key', key), { field, context });
  }

  /** What stands in a field without a name would be taken for the value of the key, and `hset` writes no such field. */
  #refusal(location: Location): EncryptionTamperedError {
    const error = new EncryptionTamperedError(subjectOf(location), 'is in a field without a name');
    this.#parts.events.refused(location, error);
    return error;
  }

  #read(raw: Buffer | null, location: Location): unknown {
    return raw === null ? undefined : this.#parts.values.read(raw, location);
  }
}
