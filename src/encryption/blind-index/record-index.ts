import type { EncryptionParts } from '../encryption-parts.js';
import { BlindIndex } from './blind-index.js';
import { IndexEntries } from './index-entries.js';
import { indexPrefix } from './index-keys.js';
import { isMarked, newMark, showMark, type IndexMark, type IndexMember } from './index-mark.js';
import { replaceMark } from './index-scripts.js';
import { orRefusal, Refusal } from './refusal.js';
import type { Reindexer } from './reindexer.js';

/** A record, as far as its index is concerned. */
export interface IndexedState {
  readonly id: string;
  readonly redisKey: string;
  readonly mark: IndexMark | undefined;
  /** The mark as it stands there, whether it is one or not; undefined where nothing does. */
  readonly shownMark: Buffer | undefined;
  /** By which it is found; undefined where it has no such property. */
  readonly text: string | undefined;
  /** The property, encrypted. */
  readonly raw: Buffer;
}

/** What an index asks of the records. */
export interface IndexedRecords {
  /** What a record is now; undefined where there is none. @throws RedisError, and whatever says that it cannot be read */
  stateOf(id: string): Promise<IndexedState | undefined>;
  /** For how long a record is there at most: milliseconds, or Infinity. @throws RedisError */
  lifetimeOf(id: string): Promise<number>;
}

/** What an index is of. */
export interface IndexOf {
  readonly namespace: string;
  /** Name of the records. */
  readonly name: string;
  readonly property: string;
  readonly markField: string;
}

/**
 * The blind index of a property. A record and its entry may be on different servers, so that they cannot be written at once: a member is added
 * to the entry first, then the record is written with its mark, then the member of the record before is removed. Wherever that ends, the
 * record is found; members that no record is marked with are removed when they are seen.
 */
export class RecordIndex implements Reindexer {
  readonly entries: IndexEntries;
  readonly of: IndexOf;
  readonly prefix: string;
  readonly #parts: EncryptionParts;
  readonly #records: IndexedRecords;
  readonly #blind: BlindIndex;

  constructor(parts: EncryptionParts, of: IndexOf, records: IndexedRecords) {
    this.of = of;
    this.prefix = indexPrefix(of.namespace, `${of.name}.${of.property}`);
    this.entries = new IndexEntries(parts.connection, this.prefix);
    this.#parts = parts;
    this.#records = records;
    this.#blind = new BlindIndex(parts.options.ring);
  }

  /** A new mark for a record, under the primary key. */
  mark(text: string): IndexMark {
    return newMark(this.#blind.token(this.prefix, text));
  }

  /** The members of all entries for a text, under whichever key. */
  async find(text: string): Promise<IndexMember[]> {
    const [primary, ...others] = this.#blind.tokens(this.prefix, text);
    // A record moves from one entry to another by being added there first: read in this order, it is in one of them, whichever way it moves.
    const rounds = others.length === 0 ? [[primary!]] : [others, [primary!], others];
    const members: IndexMember[] = [];
    for (const tokens of rounds) {
      const read = await Promise.all(tokens.map((token) => this.entries.members(token)));
      members.push(...read.flat());
    }
    return members;
  }

  /**
   * Puts a record under the primary key's entry, if it is still what was read.
   *
   * @throws RedisError
   */
  async move(state: IndexedState & { readonly text: string }): Promise<boolean> {
    const { id, redisKey, shownMark, raw } = state;
    const mark = this.mark(state.text);
    await this.entries.add(mark, id, await this.#records.lifetimeOf(id));
    const { markField, property } = this.of;
    const isMoved = await replaceMark.run(this.#parts.connection.client, {
      redisKey,
      markField,
      before: shownMark,
      after: showMark(mark),
      field: property,
      raw,
    });
    const unused = isMoved ? state.mark : mark;
    if (unused) await this.entries.remove(unused, id);
    return isMoved;
  }

  /**
   * Puts a record where it is looked for, if it is not there: its entry was lost, or expires before it does; or it was saved when the property
   * had no index, or another one.
   *
   * @returns 'changed' where it is not what was read any more
   * @throws RedisError
   */
  async restore(state: IndexedState & { readonly text: string }): Promise<'kept' | 'restored' | 'changed'> {
    const { id, mark, text } = state;
    if (mark?.token === this.#blind.token(this.prefix, text)) {
      const lifetime = await this.#records.lifetimeOf(id);
      if (await this.entries.has(mark, id, lifetime)) return 'kept';
    }
    return (await this.move(state)) ? 'restored' : 'changed';
  }

  /** As {@link Reindexer.reindex}; under the primary key, what no record has is removed, and what one has is left. */
  async reindex(token: string): Promise<{ moved: number; left: number }> {
    const report = { moved: 0, left: 0 };
    for await (const members of this.entries.scan(token)) {
      const outcomes = await Promise.all(members.map((member) => this.#reindexMember(member)));
      for (const outcome of outcomes) if (outcome !== 'removed') report[outcome]++;
    }
    return report;
  }

  async #reindexMember(member: IndexMember): Promise<'moved' | 'left' | 'removed'> {
    const outcome = await orRefusal(() => this.#settle(member));
    // What cannot be read can be neither moved nor forgotten.
    return outcome instanceof Refusal ? 'left' : outcome;
  }

  async #settle(member: IndexMember): Promise<'moved' | 'left' | 'removed'> {
    const state = await this.#records.stateOf(member.id);
    if (!isMarked(state?.mark, member)) return (await this.entries.removeStale(member)) ? 'removed' : 'left';
    if (state?.text === undefined || state.mark?.keyId === this.#parts.options.ring.primary.name)
      return 'left';
    return (await this.move({ ...state, text: state.text })) ? 'moved' : 'left';
  }
}
