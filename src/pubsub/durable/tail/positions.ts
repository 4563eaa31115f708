import type { RedisClient } from '../../../redis/index.js';
import type { TopicKeys } from '../topic-keys.js';

/** Where reading begins in a stream that does not exist yet. */
const BEGINNING = '0-0';

interface Position {
  /** Of the entry that was read last. */
  last: string;
  /** How many entries had been added to the stream, that one included; undefined before Redis 7.0, which does not count. */
  added: number | undefined;
}

interface StreamState extends Position {
  readonly length: number;
}

/** Up to where the streams of a topic are read. */
export class Positions {
  readonly #keys: TopicKeys;
  readonly #byStream = new Map<string, Position>();

  constructor(keys: TopicKeys) {
    this.#keys = keys;
  }

  /** Streams, and what was read last of each. */
  get all(): readonly (readonly [stream: string, last: string])[] {
    return Array.from(this.#byStream, ([stream, { last }]) => [stream, last]);
  }

  /** At the ends of the streams. @param partitions at least so many */
  async toEnds(client: RedisClient, partitions: number): Promise<void> {
    const streams = this.#streams(await this.#count(client, partitions));
    const states = await Promise.all(streams.map((stream) => stateOf(client, stream)));
    streams.forEach((stream, partition) => {
      const { last, added } = states[partition]!;
      this.#byStream.set(stream, { last, added });
    });
  }

  /** Looks for partitions that are new. All that is in them was added since. */
  async grow(client: RedisClient): Promise<void> {
    const known = this.#byStream.size;
    for (const stream of this.#streams(await this.#count(client, known)))
      if (!this.#byStream.has(stream)) this.#byStream.set(stream, { last: BEGINNING, added: 0 });
  }

  read(stream: string, last: string, entries: number): void {
    const position = this.#byStream.get(stream);
    if (!position) return;
    position.last = last;
    if (position.added !== undefined) position.added += entries;
  }

  /** How many entries were removed before they could be read. Goes on behind them. */
  async skipTrimmed(client: RedisClient): Promise<number> {
    const missed = await Promise.all(
      Array.from(this.#byStream, async ([stream, position]) => {
        if (position.added === undefined) return 0;
        const { added, length } = await stateOf(client, stream);
        // Entries are removed from the front. Fewer than before: the data was lost, and the stream begins anew.
        if (added === undefined || added < position.added) {
          position.added = added;
          return 0;
        }
        const removed = Math.max(0, added - length - position.added);
        position.added += removed;
        return removed;
      }),
    );
    return missed.reduce((sum, each) => sum + each, 0);
  }

  async #count(client: RedisClient, atLeast: number): Promise<number> {
    return Math.max(atLeast, Number(await client.get(this.#keys.partitions)) || 0);
  }

  #streams(partitions: number): string[] {
    return Array.from({ length: partitions }, (_, partition) => this.#keys.stream(partition));
  }
}

async function stateOf(client: RedisClient, stream: string): Promise<StreamState> {
  let reply: unknown;
  try {
    reply = await client.xinfo('STREAM', stream);
  } catch (error) {
    if (error instanceof Error && /no such key/i.test(error.message))
      return { last: BEGINNING, added: 0, length: 0 };
    throw error;
  }
  const fields = reply as unknown[];
  const field = (name: string): unknown => fields[fields.indexOf(name) + 1];
  const counts = fields.includes('entries-added');
  return {
    last: String(field('last-generated-id')),
    added: counts ? Number(field('entries-added')) : undefined,
    length: Number(field('length')),
  };
}
