import type { Patience } from '../../keyspace/patience.js';
import { allDone } from '../../keyspace/work-limit.js';
import { RedisWrongTypeError, type RedisClient, type RedisConnection } from '../../redis/index.js';
import { parseIndexKey, type IndexEntry } from '../blind-index/index-keys.js';
import { HEADER_LENGTH } from '../envelope/header.js';
import { locationOf, type Location } from '../store/location.js';

/** Fields that one HSCAN looks at, about: their values come with them. */
const FIELDS = 100;

/** What a sweep does with what it finds. Contexts are not known: those of the locations are empty. */
export interface KeyVisitor {
  /** The value of a key. @param head its first bytes: the header of an envelope */
  value(location: Location, head: Buffer): Promise<void> | void;
  /** A field of a hash. @param raw all of it */
  field(location: Location, raw: Buffer): Promise<void> | void;
  index(entry: IndexEntry): Promise<void> | void;
}

interface ReaderParts {
  readonly connection: RedisConnection;
  readonly namespace: string;
  readonly patience: Patience;
  readonly signal: AbortSignal | undefined;
  /** Called after each part of a hash. */
  readonly onFields: () => void;
}

/** Looks at what stands at a key: at the first bytes of a value, and at all of a hash, since Redis tells of fields only with their values. */
export class KeyReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** @throws RedisError, and what the visitor throws */
  async visit(redisKey: string, visitor: KeyVisitor): Promise<void> {
    const type = await this.#ask((client) => client.type(redisKey));
    if (type === 'string') return this.#visitValue(redisKey, visitor);
    if (type === 'hash') return this.#visitFields(redisKey, visitor);
    if (type !== 'zset') return;
    const entry = parseIndexKey(this.#parts.namespace, redisKey);
    if (entry) await visitor.index(entry);
  }

  async #visitValue(redisKey: string, visitor: KeyVisitor): Promise<void> {
    const head = await unlessReplaced(
      this.#ask((client) => client.getrangeBuffer(redisKey, 0, HEADER_LENGTH - 1)),
    );
    if (head) await visitor.value(this.#locate(redisKey), head);
  }

  async #visitFields(redisKey: string, visitor: KeyVisitor): Promise<void> {
    const { signal, onFields } = this.#parts;
    for (let cursor = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
      if (signal?.aborted) return;
      const from = cursor;
      const page = await unlessReplaced(
        this.#ask((client) => client.hscanBuffer(redisKey, from, 'COUNT', FIELDS)),
      );
      if (!page) return;
      const [next, found] = page;
      cursor = next.toString();
      const fields: Promise<void>[] = [];
      for (let at = 0; at + 1 < found.length; at += 2) {
        const location = this.#locate(redisKey, found[at]!.toString());
        fields.push((async () => visitor.field(location, found[at + 1]!))());
      }
      await allDone(fields);
      if (cursor !== '0') onFields();
    }
  }

  #locate(redisKey: string, field = ''): Location {
    const { namespace } = this.#parts;
    return locationOf(namespace, redisKey.slice(namespace.length + 1), { field });
  }

  #ask<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    const { connection, patience } = this.#parts;
    return patience.ask(() => command(connection.client));
  }
}

/** What was written there meanwhile, in another type, is under the key of whoever has written it. */
export async function unlessReplaced<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof RedisWrongTypeError) return undefined;
    throw error;
  }
}
