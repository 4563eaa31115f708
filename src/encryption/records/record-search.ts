import type { IndexMember } from '../blind-index/index-mark.js';
import type { RecordIndexes } from './record-indexes.js';
import type { RecordReader } from './record-reader.js';
import type { RecordType } from './record-type.js';

/** How many records are read at a time. */
const AT_ONCE = 100;

/** A record that was found. */
export interface FoundRecord<T> {
  readonly id: string;
  readonly record: T;
}

/** Finds records by their blind indexes. */
export class RecordSearch<T extends object> {
  readonly #type: RecordType<T>;
  readonly #reader: RecordReader<T>;
  readonly #indexes: RecordIndexes<T>;

  constructor(type: RecordType<T>, reader: RecordReader<T>, indexes: RecordIndexes<T>) {
    this.#type = type;
    this.#reader = reader;
    this.#indexes = indexes;
  }

  /** @throws RedisError, EncryptionError */
  async find(name: string, value: unknown): Promise<FoundRecord<T>[]> {
    const indexed = this.#indexes.get(name);
    if (!indexed)
      throw this.#type.problem(name, 'is no property with @Encrypted({ index }): nothing can be found by it');
    const { property, index } = indexed;
    const text = property.textOfValue(value);
    const found: FoundRecord<T>[] = [];
    const candidates = [...byId(await index.find(text))];
    for (let start = 0; start < candidates.length; start += AT_ONCE) {
      const some = candidates.slice(start, start + AT_ONCE);
      const reads = await Promise.all(some.map(([id]) => this.#reader.read(id)));
      for (const [position, read] of reads.entries()) {
        this.#indexes.tidy(indexed, some[position]![1], read);
        if (!read || property.textOf(read.record) !== text) continue;
        this.#indexes.refresh(read);
        found.push({ id: read.id, record: read.record });
      }
    }
    return found;
  }
}

/** A record may have several members: those of saves that were cut off, and during a rotation. */
function byId(members: readonly IndexMember[]): Map<string, IndexMember[]> {
  const groups = new Map<string, IndexMember[]>();
  for (const member of members) {
    const group = groups.get(member.id);
    if (group) group.push(member);
    else groups.set(member.id, [member]);
  }
  return groups;
}
