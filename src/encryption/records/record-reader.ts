import { orRedisError } from '../../redis/shared.js';
import type { EncryptionParts } from '../encryption-parts.js';
import type { RecordCodec } from './record-codec.js';
import type { RecordType } from './record-type.js';

/** A record, and what stands in its hash. */
export interface ReadRecord<T> {
  readonly id: string;
  readonly redisKey: string;
  readonly record: T;
  readonly raws: Readonly<Record<string, Buffer>>;
}

/** Reads the records of a class. */
export class RecordReader<T extends object> {
  readonly #type: RecordType<T>;
  readonly #parts: EncryptionParts;
  readonly #codec: RecordCodec<T>;

  constructor(type: RecordType<T>, parts: EncryptionParts, codec: RecordCodec<T>) {
    this.#type = type;
    this.#parts = parts;
    this.#codec = codec;
  }

  /** All fields at once: never half of one save and half of another. @throws RedisError, EncryptionError */
  async read(id: string): Promise<ReadRecord<T> | undefined> {
    const { redisKey } = this.#type.locate(id);
    const raws = await orRedisError(this.#parts.connection.client.hgetallBuffer(redisKey));
    if (Object.keys(raws).length === 0) return undefined;
    return { id, redisKey, raws, record: this.#codec.decode(raws, id) };
  }

  /** For how long a record is there at most: milliseconds, or Infinity, also for one that there is not yet. @throws RedisError */
  async lifetimeOf(id: string): Promise<number> {
    const left = await orRedisError(this.#parts.connection.client.pttl(this.#type.locate(id).redisKey));
    return left < 0 ? Infinity : left;
  }
}
