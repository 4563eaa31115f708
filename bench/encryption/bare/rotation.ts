import type { RedisClient } from 'rednest';
import { runInFlight } from '../../support/in-flight.js';
import type { EncryptedApplication } from '../application.js';
import { boundToKey, type AssociatedData } from './associated-data.js';
import { HEADER_LENGTH, type Construction } from './construction.js';
import { bareXaes } from './xaes.js';

/** One key and what is written with it. */
interface Side {
  readonly header: Buffer;
  readonly construction: Construction;
  readonly associatedData: AssociatedData;
}

/** A loop as one writes it: SCAN, and for each key GET, decrypt, encrypt, SET KEEPTTL. What is written meanwhile, it overwrites. */
export class BareRotation {
  readonly #client: RedisClient;
  readonly #namespace: string;
  readonly #sides: readonly [Side, Side];

  private constructor(client: RedisClient, namespace: string, sides: readonly [Side, Side]) {
    this.#client = client;
    this.#namespace = namespace;
    this.#sides = sides;
  }

  /** @param name of a value, whose header is taken for all */
  static async open(
    applications: readonly [EncryptedApplication, EncryptedApplication],
    keys: readonly [Buffer, Buffer],
    namespace: string,
    name: string,
  ): Promise<BareRotation> {
    const { client } = applications[0];
    const sample = (await client.getBuffer(`${namespace}:${name}`))!;
    const side = (position: 0 | 1): Side => {
      const header = Buffer.from(sample.subarray(0, HEADER_LENGTH));
      const id = applications[position].encryption.keys[0]!.id;
      header.writeUInt32BE(Number.parseInt(id, 16), 3);
      const construction = bareXaes(keys[position], header);
      return { header, construction, associatedData: boundToKey(header, namespace) };
    };
    return new BareRotation(client, namespace, [side(0), side(1)]);
  }

  /** @returns how many were encrypted anew */
  async rotate(to: 0 | 1, inFlight: number): Promise<number> {
    const [from, target] = [this.#sides[1 - to]!, this.#sides[to]];
    let reencrypted = 0;
    let cursor = '0';
    do {
      const [next, page] = await this.#client.scan(cursor, 'MATCH', `${this.#namespace}:*`, 'COUNT', 1_000);
      cursor = next;
      await runInFlight(page.length, inFlight, async (index) => {
        if (await this.#replace(page[index]!, from, target)) reencrypted++;
      });
    } while (cursor !== '0');
    return reencrypted;
  }

  async #replace(redisKey: string, from: Side, target: Side): Promise<boolean> {
    const name = redisKey.slice(this.#namespace.length + 1);
    const raw = await this.#client.getBuffer(redisKey);
    // SCAN may give a key twice.
    if (!raw?.subarray(0, HEADER_LENGTH).equals(from.header)) return false;
    const plaintext = from.construction.open(raw, from.associatedData(name));
    const sealed = target.construction.seal(plaintext, target.associatedData(name));
    await this.#client.set(redisKey, sealed, 'KEEPTTL');
    return true;
  }
}
