import { orRedisError } from '../../redis/shared.js';
import {
  isMarked,
  parseMark,
  showMark,
  type IndexMark,
  type IndexMember,
} from '../blind-index/index-mark.js';
import { RecordIndex, type IndexedState } from '../blind-index/record-index.js';
import type { EncryptionParts } from '../encryption-parts.js';
import { parseKeyId } from '../keys/key-id.js';
import { IndexedProperty } from './indexed-property.js';
import type { RecordField } from './record-codec.js';
import type { ReadRecord, RecordReader } from './record-reader.js';
import type { RecordType } from './record-type.js';

/** A property that records are found by, and its index. */
interface PropertyIndex<T extends object> {
  readonly property: IndexedProperty<T>;
  readonly index: RecordIndex;
}

/** The mark that a record is to have for a property. */
interface PropertyMark<T extends object> extends PropertyIndex<T> {
  readonly mark: IndexMark;
}

const FAULT = 'An entry of a blind index could not be kept up to date';

/** The blind indexes of a class of records. */
export class RecordIndexes<T extends object> {
  /** Fields of the hash that say where a record is in the indexes. */
  readonly markFields: readonly string[];
  readonly #type: RecordType<T>;
  readonly #parts: EncryptionParts;
  readonly #reader: RecordReader<T>;
  readonly #all: readonly PropertyIndex<T>[];

  constructor(type: RecordType<T>, parts: EncryptionParts, reader: RecordReader<T>) {
    this.#type = type;
    this.#parts = parts;
    this.#reader = reader;
    this.#all = [...type.encrypted]
      .filter(([, { index = false }]) => index !== false)
      .map(([name, { index }]) => this.#indexOf(new IndexedProperty(type, name, index)));
    this.markFields = this.#all.map(({ property }) => property.markField);
    for (const { index } of this.#all) parts.reindexers.set(index.prefix, index);
  }

  get(name: string): PropertyIndex<T> | undefined {
    return this.#all.find(({ property }) => property.name === name);
  }

  /** @throws EncryptionConfigurationError for what cannot be indexed */
  marksOf(record: T): PropertyMark<T>[] {
    return this.#all.flatMap(({ property, index }) => {
      const text = property.textOf(record);
      return text === undefined ? [] : [{ property, index, mark: index.mark(text) }];
    });
  }

  fieldsOf(marks: readonly PropertyMark<T>[]): RecordField[] {
    return marks.map(({ property, mark }) => [property.markField, showMark(mark)]);
  }

  /** Before the record is written. @throws RedisError */
  async add(marks: readonly PropertyMark<T>[], id: string, lifetime: number): Promise<void> {
    await Promise.all(
      marks.map(async (its) => {
        const neighbour = await its.index.entries.add(its.mark, id, lifetime);
        if (!neighbour) return;
        this.#inBackground(neighbour.member, () => this.#tidyUnread(its, neighbour));
      }),
    );
  }

  /** After a record was written in place of another, or removed: removes what that was marked with. What fails is done when it is seen. */
  async forget(before: readonly (string | null)[], id: string): Promise<void> {
    const removals = this.#all.map(async ({ index }, position) => {
      const mark = parseMark(before[position]);
      if (mark) await this.#parts.background.attempt(FAULT, () => index.entries.remove(mark, id));
    });
    await Promise.all(removals);
  }

  /**
   * Puts a record into its indexes where it is not there, or not for long enough.
   *
   * @returns 'changed' where it is not what was read any more
   * @throws RedisError, and what says that no text can be made of a property
   */
  async restore(read: ReadRecord<T>): Promise<'kept' | 'restored' | 'changed'> {
    const outcomes = await Promise.all(
      this.#all.map(async ({ property, index }) => {
        const { text, ...state } = stateOf(read, property);
        return text === undefined ? 'kept' : index.restore({ ...state, text });
      }),
    );
    return (['changed', 'restored'] as const).find((each) => outcomes.includes(each)) ?? 'kept';
  }

  /** Where a record is in an index under another key than the primary one, or in none, it is put there in the background. */
  refresh(read: ReadRecord<T>): void {
    const { options, background } = this.#parts;
    if (!options.reencryptOnRead) return;
    for (const { property, index } of this.#all) {
      const keyId = markOf(read, property)?.keyId;
      if (keyId === options.ring.primary.name || read.raws[property.name] === undefined) continue;
      const name = JSON.stringify(['index', read.redisKey, property.name]);
      const outdated = { name, fault: FAULT, keyId: parseKeyId(keyId) };
      // What the value is, is asked at once: the application may change the record later.
      background.scheduleRenewal(outdated, async () => {
        const state = stateOf(read, property);
        return state.text !== undefined && index.move({ ...state, text: state.text });
      });
    }
  }

  /** Removes, in the background, members of an entry that are not those of the record: left behind by a save that was cut off, or one that is gone. */
  tidy({ property, index }: PropertyIndex<T>, members: readonly IndexMember[], read?: ReadRecord<T>): void {
    const mark = read && markOf(read, property);
    // Without a mark, that it is not this member is not known.
    if (read && !mark) return;
    for (const member of members)
      if (!isMarked(mark, member)) this.#inBackground(member.member, () => index.entries.removeStale(member));
  }

  /** As {@link tidy}, without decrypting anything. */
  async #tidyUnread({ property, index }: PropertyIndex<T>, member: IndexMember): Promise<void> {
    const { redisKey } = this.#type.locate(member.id);
    const { client } = this.#parts.connection;
    const [exists, shown] = await orRedisError(
      Promise.all([client.exists(redisKey), client.hget(redisKey, property.markField)]),
    );
    const mark = parseMark(shown);
    if (mark ? !isMarked(mark, member) : exists === 0) await index.entries.removeStale(member);
  }

  #inBackground(name: string, run: () => Promise<unknown>): void {
    this.#parts.background.schedule({ name, fault: FAULT }, run);
  }

  #indexOf(property: IndexedProperty<T>): PropertyIndex<T> {
    const { namespace, name } = this.#type;
    const of = { namespace, name, property: property.name, markField: property.markField };
    const index = new RecordIndex(this.#parts, of, {
      stateOf: async (id) => {
        const read = await this.#reader.read(id);
        return read && stateOf(read, property);
      },
      lifetimeOf: (id) => this.#reader.lifetimeOf(id),
    });
    return { property, index };
  }
}

function stateOf<T extends object>(read: ReadRecord<T>, property: IndexedProperty<T>): IndexedState {
  const { id, redisKey, raws, record } = read;
  const raw = raws[property.name];
  return {
    id,
    redisKey,
    mark: markOf(read, property),
    shownMark: raws[property.markField],
    text: raw && property.textOf(record),
    raw: raw ?? Buffer.alloc(0),
  };
}

function markOf<T extends object>(
  { raws }: ReadRecord<T>,
  { markField }: IndexedProperty<T>,
): IndexMark | undefined {
  return parseMark(raws[markField]?.toString());
}
