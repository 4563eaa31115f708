import type { EventCodec } from '../../events/event-codec.js';
import { UnreadableEvent, type Envelope } from '../../events/envelope.js';
import type { ResolvedGroupOptions } from '../../options/resolved-options.js';
import { rawOf, valueOf, type Fields } from '../fields.js';
import { Entry } from './entry.js';
import type { Partition } from './partition.js';
import type { RecoveredEntry } from './scripts.js';

/** Makes entries of what was read, and gives them to their partitions. */
export class EntryFactory {
  readonly #codec: EventCodec;
  readonly #group: string;
  readonly #isOnce: boolean;

  constructor(codec: EventCodec, { group, once }: ResolvedGroupOptions) {
    this.#codec = codec;
    this.#group = group;
    this.#isOnce = once > 0;
  }

  /** One that was delivered for the first time. @returns its size in bytes, roughly */
  read(partition: Partition, id: string, fields: Fields): number {
    if (partition.isGone || partition.state === 'leaving') return 0;
    const entry = this.#make(partition, id, fields);
    const { size } = entry;
    partition.take(entry);
    return size;
  }

  /** One that was delivered before. @param now by the server's clock */
  recovered(partition: Partition, { id, fields, note, wasOwn }: RecoveredEntry, now: number): void {
    const entry = this.#make(partition, id, fields);
    // Where nothing is noted of another's, it may have been handled when its process ended: the next such end is noted.
    entry.isNoted = note !== '' || !wasOwn;
    if (note === '') return partition.take(entry);
    const [attempt, due] = note.split(':').map(Number) as [number, number];
    entry.attempt = attempt + 1;
    entry.isAlone = due === 0;
    partition.take(entry, Math.max(0, due - now));
  }

  #make(partition: Partition, id: string, fields: Fields): Entry {
    const raw = rawOf(fields);
    const entry = new Entry(partition, id, raw?.length ?? 0);
    if (fields.length > 2) {
      const receiver = valueOf(fields, 'g');
      entry.isForOthers = receiver !== undefined && receiver !== this.#group;
      if (entry.isForOthers) return entry;
    }
    entry.isOnce = this.#isOnce;
    try {
      entry.envelope = this.#parse(raw);
      entry.lane = entry.envelope.key ?? (this.#isOnce ? entry.envelope.id : undefined);
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      entry.unreadable = error;
    }
    return entry;
  }

  #parse(raw: string | undefined): Envelope {
    if (raw !== undefined) return this.#codec.parse(raw);
    throw new UnreadableEvent('undecodable', "The entry has no field 'e'");
  }
}
