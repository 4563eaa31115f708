import type { RedisConnection } from '../redis/index.js';
import type { ConnectionUser } from '../redis/shared.js';
import { BackgroundWork } from './background/background-work.js';
import type { Reindexer } from './blind-index/reindexer.js';
import { EncryptionEventPublisher } from './encryption-events.js';
import { logger } from './encryption-logger.js';
import type { EncryptionParts } from './encryption-parts.js';
import { Envelopes } from './envelope/envelopes.js';
import type { ResolvedEncryptionOptions } from './options/resolved-options.js';
import type { RecordClass } from './records/record-options.js';
import { Reencryption } from './store/reencryption.js';
import { StoredValues, type ValueOptions } from './store/stored-values.js';

/** The parts of the module, put together; started and stopped with the connection. */
export class EncryptionEngine implements ConnectionUser {
  readonly parts: EncryptionParts;

  constructor(connection: RedisConnection, options: ResolvedEncryptionOptions) {
    const events = new EncryptionEventPublisher(connection.id);
    const envelopes = new Envelopes(options.ring, events);
    const background = new BackgroundWork();
    const reencryption = new Reencryption(connection, envelopes, options, { events, background });
    const values = new StoredValues(envelopes, options, reencryption);
    const recordValues = new StoredValues(envelopes, optionsOfRecords(options), reencryption);
    const reindexers = new Map<string, Reindexer>();
    const recordClasses = new Map<string, RecordClass<object>>();
    this.parts = {
      connection,
      options,
      envelopes,
      events,
      reencryption,
      values,
      recordValues,
      reindexers,
      recordClasses,
      background,
    };
  }

  async start(): Promise<void> {
    const { migratePlaintext } = this.parts.options;
    if (!migratePlaintext) return;
    const until = new Date(migratePlaintext.until).toISOString();
    const isOver = Date.now() >= migratePlaintext.until;
    logger.warn(
      isOver
        ? `migratePlaintext has ended at ${until}: what is not encrypted is refused. The option can be removed`
        : `Until ${until} what is not encrypted is accepted (migratePlaintext), whoever has written it`,
    );
  }

  stop(): Promise<void> {
    return this.parts.background.stop();
  }
}

/** A property of a record can stand in no other, whatever the values of the store are bound to; and one that is not encrypted is JSON. */
function optionsOfRecords({ migratePlaintext, ...options }: ResolvedEncryptionOptions): ValueOptions {
  return {
    ...options,
    written: { ...options.written, binding: 'key' },
    accepted: { ...options.accepted, binding: 'key' },
    migratePlaintext: migratePlaintext && { ...migratePlaintext, as: 'json' },
  };
}
