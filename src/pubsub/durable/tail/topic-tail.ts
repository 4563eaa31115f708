import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { toRedisError } from '../../../redis/index.js';
import { backoff, type Pauses } from '../../../timing/backoff.js';
import { TimeLimit } from '../../../timing/time-limit.js';
import type { BusParts } from '../../bus-parts.js';
import { messageOf } from '../../describe-error.js';
import { Dispatcher, type Origin } from '../../delivery/dispatcher.js';
import type { Reading } from '../../delivery/message.js';
import type { EventGap } from '../../delivery/event-handler.js';
import type { Receiver } from '../../delivery/receiver.js';
import type { EventType } from '../../events/event-type.js';
import { logger } from '../../pubsub-logger.js';
import { blockingRead, longestRead } from '../blocking-read.js';
import { rawOf, valueOf, type Fields } from '../fields.js';
import { ReadSize } from '../read-size.js';
import { TopicKeys } from '../topic-keys.js';
import { Positions } from './positions.js';

/** How long Redis waits for entries before it answers that there are none, in milliseconds. */
const BLOCK = 2_000;

/** How many entries are read at a time, of all streams together, where they are small. */
const BATCH = 256;

/** How often is looked for new partitions, in milliseconds. */
const GROWTH_CHECK = 3_000;

/** Reading that was not waiting for so long, in milliseconds, may have been overtaken by trimming. */
const LATE = 5_000;

const PAUSES: Pauses = { first: 100, longest: 5_000 };

type Entry = readonly [id: string, fields: Fields];

interface TailParts extends Reading {
  readonly parts: BusParts;
}

/** Reads what is added to the streams of a topic, from a moment on and until it is stopped. */
export class TopicTail {
  readonly topic: string;
  readonly #type: EventType;
  readonly #parts: BusParts;
  readonly #keys: TopicKeys;
  readonly #dispatcher: Dispatcher;
  readonly #positions: Positions;
  readonly #receivers = new Set<Receiver>();
  readonly #only: Receiver | undefined;
  readonly #origin: Origin;
  readonly #stopped = new AbortController();
  readonly #limit = new TimeLimit(longestRead(BLOCK));
  readonly #size = new ReadSize();
  #starting: Promise<void> | undefined;
  #reading: Promise<void> | undefined;
  #isGrowing = false;
  #wake: () => void = () => undefined;
  #failures = 0;
  #lastRead = performance.now();
  /** When it was last read, in milliseconds since 1970. */
  #goodAt = Date.now();
  #grewAt = 0;

  /** @param only whom reading waits for while it is full; nobody else may be added then */
  constructor(type: EventType, parts: TailParts, only?: Receiver) {
    this.topic = type.topic;
    this.#type = type;
    this.#parts = parts.parts;
    this.#keys = new TopicKeys(parts.parts.options.namespace, type.topic);
    this.#dispatcher = new Dispatcher(parts);
    this.#positions = new Positions(this.#keys);
    this.#only = only;
    this.#origin = { name: type.topic, topic: type.topic, reach: 'topic' };
  }

  get isEmpty(): boolean {
    return this.#receivers.size === 0;
  }

  add(receiver: Receiver): void {
    this.#receivers.add(receiver);
    this.#dispatcher.add(receiver);
  }

  remove(receiver: Receiver): void {
    this.#receivers.delete(receiver);
    this.#dispatcher.delete(receiver);
  }

  /** Resolves when it reads, which is at once when it does already. @throws RedisError; it may be called again then */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw toRedisError(error) ?? error;
    });
    return this.#starting;
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('stopped'));
    // Reading may wait for room.
    this.#wake();
    await this.#reading;
  }

  async #start(): Promise<void> {
    await this.#positions.toEnds(this.#parts.connection.client, this.#type.partitions);
    this.#grewAt = this.#lastRead = performance.now();
    this.#reading = this.#readOn();
  }

  async #readOn(): Promise<void> {
    const { signal } = this.#stopped;
    const options = { key: this.#keys.stream(0), lasting: true, signal };
    while (!signal.aborted) {
      try {
        await this.#parts.connection.withDedicated(options, (client) => this.#read(client));
      } catch (error) {
        if (!signal.aborted) await this.#pause(error);
      }
    }
  }

  /** Says once that it cannot read, and once that it can again. */
  async #pause(error: unknown): Promise<void> {
    if (this.#failures === 0) {
      const reason = messageOf(error);
      logger.warn(`Events '${this.topic}' cannot be read, trying again: ${reason}`);
    }
    const delay = backoff(this.#failures++, PAUSES);
    await sleep(delay, undefined, { ref: false, signal: this.#stopped.signal }).catch(() => undefined);
  }

  async #read(client: Redis): Promise<void> {
    // What was removed while it was away is looked for on each new connection.
    this.#lastRead = -Infinity;
    while (!this.#stopped.signal.aborted) {
      await this.#room();
      if (performance.now() - this.#lastRead > LATE) await this.#checkMissed(client);
      if (performance.now() - this.#grewAt > GROWTH_CHECK) void this.#grow();
      const streams = await this.#next(client);
      this.#recovered();
      for (const [stream, entries] of streams) {
        this.#size.note(entries.length, bytesOf(entries));
        await this.#dispatch(stream, entries);
      }
    }
  }

  async #next(client: Redis): Promise<readonly (readonly [stream: string, entries: readonly Entry[]])[]> {
    const { all } = this.#positions;
    const streams = all.map(([stream]) => stream);
    const count = Math.min(Math.ceil(BATCH / streams.length), this.#size.count(streams.length));
    const read = client.xread.bind(client) as (...args: readonly (string | number)[]) => Promise<unknown>;
    const lasts = all.map(([, last]) => last);
    const reply = await blockingRead(BLOCK, () =>
      read('COUNT', count, 'BLOCK', BLOCK, 'STREAMS', ...streams, ...lasts),
    );
    return (reply ?? []) as readonly (readonly [string, readonly Entry[]])[];
  }

  async #dispatch(stream: string, entries: readonly Entry[]): Promise<void> {
    for (const [id, fields] of entries) {
      if (this.#only?.isFull) await this.#room();
      if (this.#stopped.signal.aborted) return;
      this.#positions.read(stream, id, 1);
      // With a group, it is replayed for that one; with an empty text, for those that have none.
      if (!valueOf(fields, 'g')) this.#dispatcher.dispatch(rawOf(fields) ?? '', this.#origin);
    }
  }

  /** Waits while the receiver is full. */
  async #room(): Promise<void> {
    const receiver = this.#only;
    if (!receiver?.isFull || this.#stopped.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      void receiver.room().then(resolve);
    });
  }

  /** Beside reading: it goes over the shared connection. What fails is tried again after the same time. */
  async #grow(): Promise<void> {
    this.#grewAt = performance.now();
    if (this.#isGrowing) return;
    this.#isGrowing = true;
    await this.#positions.grow(this.#parts.connection.client).catch(() => undefined);
    this.#isGrowing = false;
  }

  async #checkMissed(client: Redis): Promise<void> {
    const { trimmed, isMore, isLost } = await this.#limit.apply(this.#positions.skipMissed(client));
    if (isLost) this.#tell('lost', 'may have been lost, with other data of Redis', undefined);
    else if (trimmed > 0 || isMore)
      this.#tell(
        'trimmed',
        'were removed from the streams before they could be read',
        isMore ? undefined : trimmed,
      );
  }

  #tell(reason: EventGap['reason'], what: string, missed: number | undefined): void {
    logger.warn(`${missed ?? 'Some'} events '${this.topic}' ${what}`);
    const gap = { topic: this.topic, reason, since: new Date(this.#goodAt), ...(missed && { missed }) };
    for (const receiver of this.#receivers) receiver.gap(gap);
  }

  #recovered(): void {
    this.#lastRead = performance.now();
    this.#goodAt = Date.now();
    if (this.#failures > 0) logger.log(`Events '${this.topic}' are read again`);
    this.#failures = 0;
  }
}

/** Roughly. */
function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const [, fields] of entries) for (const text of fields) bytes += text.length;
  return bytes;
}
