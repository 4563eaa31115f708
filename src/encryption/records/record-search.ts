import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { isSameText } from '../blind-index/blind-index.js';
import type { IndexMember } from '../blind-index/index-mark.js';
import { orRefusal, Refusal } from '../blind-index/refusal.js';
import { logger } from '../encryption-logger.js';
import type { IndexedProperty } from './indexed-property.js';
import type { RecordIndexes } from './record-indexes.js';
import type { ReadRecord, RecordReader } from './record-reader.js';
import type { RecordType } from './record-type.js';

/** How many records are read at a time. */
const AT_ONCE = 100;

/** A record that was found. */
export interface FoundRecord<T> {
  readonly id: string;
  readonly record: T;
}

/** A record that may be one that is looked for. */
interface Candidate<T extends object> {
  readonly read: ReadRecord<T>;
  /** By which it is found. */
  readonly text: string | undefined;
}

/** Finds records by their blind indexes. */
export class RecordSearch<T extends object> {
  readonly #type: RecordType<T>;
  readonly #reader: RecordReader<T>;
  readonly #indexes: RecordIndexes<T>;
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));

  constructor(type: RecordType<T>, reader: RecordReader<T>, indexes: RecordIndexes<T>) {
    this.#type = type;
    this.#reader = reader;
    this.#indexes = indexes;
  }

  /** @throws RedisError, EncryptionConfigurationError */
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
      const reads = await Promise.all(some.map(([id]) => this.#read(id, property)));
      for (const [position, candidate] of reads.entries()) {
        if (candidate instanceof Refusal) continue;
        this.#indexes.tidy(indexed, some[position]![1], candidate?.read);
        if (candidate?.text === undefined || !isSameText(candidate.text, text)) continue;
        this.#indexes.refresh(candidate.read);
        found.push({ id: candidate.read.id, record: candidate.read.record });
      }
    }
    return found;
  }

  async #read(id: string, property: IndexedProperty<T>): Promise<Candidate<T> | undefined | Refusal> {
    const candidate = await orRefusal(async () => {
      const read = await this.#reader.read(id);
      return read && { read, text: property.textOf(read.record) };
    });
    if (candidate instanceof Refusal) {
      const subject = `A record of ${this.#type.classRef.name} that stands in an index`;
      this.#warnings.warn('refused', `${subject} cannot be read, and is left out: ${candidate.message}`);
    }
    return candidate;
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
