import type { RedisConnection } from '../redis/index.js';
import type { EncryptionEventPublisher } from './encryption-events.js';
import type { Reindexer } from './blind-index/reindexer.js';
import type { BackgroundWork } from './background/background-work.js';
import type { Envelopes } from './envelope/envelopes.js';
import type { ResolvedEncryptionOptions } from './options/resolved-options.js';
import type { RecordClass } from './records/record-options.js';
import type { Reencryption } from './store/reencryption.js';
import type { StoredValues } from './store/stored-values.js';

/** What the parts of the module have in common. */
export interface EncryptionParts {
  readonly connection: RedisConnection;
  readonly options: ResolvedEncryptionOptions;
  readonly envelopes: Envelopes;
  readonly events: EncryptionEventPublisher;
  /** What is in Redis as bytes, as the application has it. */
  readonly values: StoredValues;
  /** The same for properties of records. */
  readonly recordValues: StoredValues;
  readonly reencryption: Reencryption;
  /** Those of the blind indexes that are known, by the start of the index's keys in Redis: see {@link indexPrefix}. */
  readonly reindexers: Map<string, Reindexer>;
  /** The class of each name of records, by `<namespace>:<name>`. */
  readonly recordClasses: Map<string, RecordClass<object>>;
  readonly background: BackgroundWork;
}
