import type { RedisClient } from 'rednest';
import { boundToKey, type AssociatedData } from './associated-data.js';
import { HEADER_LENGTH, type Construction } from './construction.js';
import { bareXaes } from './xaes.js';

/** Where rednest has put values, and under which key. */
export interface Written {
  readonly client: RedisClient;
  readonly namespace: string;
  readonly key: Buffer;
  /** The envelope of one of them. */
  readonly sample: Buffer;
}

/** Reads by hand what rednest has written: the same keys in Redis, and all that it is bound to. */
export class BareReader {
  readonly #client: RedisClient;
  readonly #namespace: string;
  readonly #construction: Construction;
  readonly #associatedData: AssociatedData;

  constructor({ client, namespace, key, sample }: Written) {
    const header = Buffer.from(sample.subarray(0, HEADER_LENGTH));
    this.#client = client;
    this.#namespace = namespace;
    this.#construction = bareXaes(key, header);
    this.#associatedData = boundToKey(header, namespace);
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#open(key, await this.#client.getBuffer(`${this.#namespace}:${key}`));
  }

  async getMany(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    const raws = await this.#client.mgetBuffer(keys.map((key) => `${this.#namespace}:${key}`));
    return raws.map((raw, position) => this.#open(keys[position]!, raw));
  }

  #open(key: string, raw: Buffer | null): Buffer | undefined {
    return raw === null ? undefined : this.#construction.open(raw, this.#associatedData(key));
  }
}
