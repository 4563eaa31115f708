import { KeyWalk } from '../../keyspace/key-walk.js';
import { Patience } from '../../keyspace/patience.js';
import { tellProgress } from '../../keyspace/tell-progress.js';
import { withEach } from '../../keyspace/work-limit.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { RedisError } from '../../redis/index.js';
import { orRefusal, Refusal } from '../blind-index/refusal.js';
import { logger } from '../encryption-logger.js';
import type { EncryptionParts } from '../encryption-parts.js';
import type { ResolvedWorkOptions } from '../options/work-options.js';
import type { RecordIndexes } from './record-indexes.js';
import type { RecordReader } from './record-reader.js';
import type { RecordType } from './record-type.js';
import type { ReindexProgress, ReindexReport } from './reindex-options.js';

/** How often a record is looked at again that someone else has just written. */
const MOST_LOOKS = 20;

interface ReindexParts<T extends object> {
  readonly type: RecordType<T>;
  readonly parts: EncryptionParts;
  readonly reader: RecordReader<T>;
  readonly indexes: RecordIndexes<T>;
}

/** Walks through all records of a class, and puts each into its indexes where it is not there. For one run. */
export class RecordReindex<T extends object> {
  readonly #its: ReindexParts<T>;
  readonly #options: ResolvedWorkOptions<ReindexProgress>;
  readonly #patience: Patience;
  readonly #prefix: string;
  readonly #counts = { done: 0, reindexed: 0, left: 0 };
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));

  constructor(its: ReindexParts<T>, options: ResolvedWorkOptions<ReindexProgress>) {
    this.#its = its;
    this.#options = options;
    this.#patience = new Patience(its.parts.connection, options.signal);
    // Neither has a character that a pattern gives a meaning to.
    this.#prefix = `${its.type.namespace}:${its.type.name}:`;
  }

  /** @throws RedisError */
  async run(): Promise<ReindexReport> {
    try {
      const completed = await this.#walk();
      return { ...this.#counts, completed };
    } catch (error) {
      // While it waited for Redis.
      if (this.#options.signal?.aborted && error instanceof RedisError && error.retryable)
        return { ...this.#counts, completed: false };
      throw error;
    }
  }

  async #walk(): Promise<boolean> {
    const options = this.#options;
    const walk = new KeyWalk(this.#its.parts.connection, `${this.#prefix}*`);
    while (!options.signal?.aborted) {
      const page = await this.#patience.ask(() => walk.next());
      if (!page) return true;
      await withEach(page.keys, options, (redisKey) => this.#reindex(redisKey.toString()));
      if (options.signal?.aborted) return false;
      walk.passed(page);
      this.#tell();
    }
    return false;
  }

  async #reindex(redisKey: string): Promise<void> {
    const id = this.#idOf(redisKey);
    if (id === undefined) return;
    let outcome: Outcome | Refusal = 'changed';
    for (let look = 1; look <= MOST_LOOKS && outcome === 'changed'; look++)
      outcome = await this.#patience.ask(() => this.#restore(id));
    if (outcome === 'gone') return;
    this.#counts.done++;
    if (outcome === 'restored') this.#counts.reindexed++;
    if (outcome === 'kept' || outcome === 'restored') return;
    this.#counts.left++;
    const why = outcome instanceof Refusal ? outcome.message : 'it is written again and again';
    const subject = `A record of ${this.#its.type.classRef.name}`;
    this.#warnings.warn('left', `${subject} is not put into its indexes: ${why}`);
  }

  /** May be done twice: what is in its place is left there. */
  #restore(id: string): Promise<Outcome | Refusal> {
    const { reader, indexes } = this.#its;
    return orRefusal(async () => {
      const read = await reader.read(id);
      return read ? indexes.restore(read) : 'gone';
    });
  }

  #tell(): void {
    tellProgress(this.#options, { ...this.#counts }, (error) =>
      this.#warnings.warn('progress', `onProgress has failed, and reindex goes on: ${String(error)}`),
    );
  }

  /** undefined for a key that no record has. */
  #idOf(redisKey: string): string | undefined {
    let id: string;
    try {
      id = decodeURIComponent(redisKey.slice(this.#prefix.length));
    } catch {
      return undefined;
    }
    return id !== '' && this.#its.type.locate(id).redisKey === redisKey ? id : undefined;
  }
}

type Outcome = 'kept' | 'restored' | 'changed' | 'gone';
