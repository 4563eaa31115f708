import type { RedisClient } from '../../../redis/index.js';
import type { TopicKeys } from '../topic-keys.js';

/** Where reading begins in a stream that does not exist yet. */
const BEGINNING = '0-0';

interface Position {
  /** Of the entry that was read last. */
  last: string;
  /** How many entries had been added to the stream, that one included. Undefined where nobody knows: before Redis 7.0, and after a loss. */
  added: number | undefined;
}

interface StreamState extends Position {
  readonly length: number;
  /** Of the first entry that is left. */
  readonly first: string | undefined;
}

/** What may have been missed. */
export interface Missed {
  /** Entries that were removed before they could be read. */
  readonly trimmed: number;
  /** There may be more of those. */
  readonly isMore: boolean;
  /** Redis has lost what it had, and whatever came then. */
  readonly isLost: boolean;
}

const NOTHING: Missed = { trimmed: 0, isMore: false, isLost: false };

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

  /** What was missed since it was looked for last. Goes on behind it. */
  async skipMissed(client: RedisClient): Promise<Missed> {
    const all = await Promise.all(
      Array.from(this.#byStream, async ([stream, position]) => skip(position, await stateOf(client, stream))),
    );
    return {
      trimmed: all.reduce((sum, { trimmed }) => sum + trimmed, 0),
      isMore: all.some(({ isMore }) => isMore),
      isLost: all.some(({ isLost }) => isLost),
    };
  }

  async #count(client: RedisClient, atLeast: number): Promise<number> {
    return Math.max(atLeast, Number(await client.get(this.#keys.partitions)) || 0);
  }

  #streams(partitions: number): string[] {
    return Array.from({ length: partitions }, (_, partition) => this.#keys.stream(partition));
  }
}

function skip(position: Position, state: StreamState): Missed {
  const { last, added } = position;
  const isBehind = isEarlier(state.last, last);
  // Both only grow.
  const isLost = isBehind || (added !== undefined && state.added !== undefined && state.added < added);
  // A master whose clock is behind may go on with ids that are not later than what was read.
  if (isBehind) position.last = state.last;
  // Entries that came before it was read to the end are counted by nobody.
  if (isLost || added === undefined) position.added = position.last === state.last ? state.added : undefined;
  if (isLost) return { ...NOTHING, isLost };
  if (added === undefined || state.added === undefined) {
    const isMore = mayBeTrimmed(last, state);
    // Told once.
    if (state.first === undefined) position.last = state.last;
    return { ...NOTHING, isMore };
  }
  // Entries are removed from the front.
  const trimmed = Math.max(0, state.added - state.length - added);
  position.added = added + trimmed;
  return { ...NOTHING, trimmed };
}

/** Whether what was read last is gone, as are perhaps those behind it. Not known of what begins after it was looked at first. */
function mayBeTrimmed(last: string, state: StreamState): boolean {
  if (last === BEGINNING || last === state.last) return false;
  return state.first === undefined || isEarlier(last, state.first);
}

function isEarlier(one: string, other: string): boolean {
  const [time, number] = halves(one);
  const [otherTime, otherNumber] = halves(other);
  return time === otherTime ? number < otherNumber : time < otherTime;
}

/** The second half may be too large for a number. */
function halves(id: string): [bigint, bigint] {
  return id.split('-').map(BigInt) as [bigint, bigint];
}

async function stateOf(client: RedisClient, stream: string): Promise<StreamState> {
  let reply: unknown;
  try {
    reply = await client.xinfo('STREAM', stream);
  } catch (error) {
    if (error instanceof Error && /no such key/i.test(error.message))
      return { last: BEGINNING, added: 0, length: 0, first: undefined };
    throw error;
  }
  const fields = reply as unknown[];
  const field = (name: string): unknown => fields[fields.indexOf(name) + 1];
  const counts = fields.includes('entries-added');
  return {
    last: String(field('last-generated-id')),
    added: counts ? Number(field('entries-added')) : undefined,
    length: Number(field('length')),
    first: (field('first-entry') as [string] | null)?.[0],
  };
}
