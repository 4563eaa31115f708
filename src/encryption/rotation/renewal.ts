import type { Patience } from '../../keyspace/patience.js';
import { WorkLimit } from '../../keyspace/work-limit.js';
import type { RedisClient } from '../../redis/index.js';
import { showValue } from '../../redis/shared.js';
import type { LimitedWarnings } from '../../logging/limited-warnings.js';
import { EncryptionError } from '../encryption-errors.js';
import type { IndexEntry } from '../blind-index/index-keys.js';
import type { EncryptionParts } from '../encryption-parts.js';
import { isEnvelope, keyIdOf } from '../envelope/header.js';
import { inspectEnvelope, type EnvelopeInspection } from '../envelope/inspect-envelope.js';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';
import { asContext, CONTEXT_EXPECTED } from '../options/resolve-context.js';
import { subjectOf } from '../envelope/place.js';
import { showKeyId } from '../keys/key-id.js';
import type { Location } from '../store/location.js';
import { encryptedPropertiesOf } from '../records/encrypted.decorator.js';
import type { RecordClass } from '../records/record-options.js';
import type { ReadValue } from '../store/reencryption.js';
import type { StoredValues } from '../store/stored-values.js';
import { unlessReplaced, type KeyVisitor } from './key-reader.js';
import type { ResolvedRotationOptions } from './resolve-rotation-options.js';

/** How often a value is looked at again that someone else has just written. */
const MOST_LOOKS = 20;

/** What is not encrypted yet. */
const NOT_ENCRYPTED = { hasContext: false, binding: 'context' } as const;

interface RenewalParts {
  readonly parts: EncryptionParts;
  readonly options: ResolvedRotationOptions;
  readonly patience: Patience;
  readonly warnings: LimitedWarnings;
}

/** Encrypts what it is shown anew where it is under another key than the primary one. What cannot be is counted, and warned of. */
export class Renewal implements KeyVisitor {
  readonly counts = { reencrypted: 0, refused: 0, reindexed: 0, indexEntriesLeft: 0 };
  readonly #its: RenewalParts;
  readonly #limit: WorkLimit;

  constructor(its: RenewalParts) {
    this.#its = its;
    this.#limit = new WorkLimit(its.options.concurrency);
  }

  value(location: Location, head: Buffer): Promise<void> | void {
    if (!this.#isToBeRenewed(location, head)) return;
    return this.#limit.run(() => this.#renew(location, undefined));
  }

  field(location: Location, raw: Buffer): Promise<void> | void {
    if (!this.#isToBeRenewed(location, raw)) return;
    return this.#limit.run(() => this.#renew(location, raw));
  }

  index({ prefix, index, token, keyId }: IndexEntry): Promise<void> | void {
    const { parts } = this.#its;
    if (keyId === parts.options.ring.primary.name) return;
    const reindexer = parts.reindexers.get(prefix);
    if (!reindexer) return this.#leaveEntry(index, `call EncryptedRecords.for with its class before`);
    return this.#limit.run(async () => {
      const { moved, left } = await this.#its.patience.ask(() => reindexer.reindex(token));
      this.counts.reindexed += moved;
      if (left > 0)
        this.#leaveEntry(index, `${left} records of an entry cannot be read, or are just being saved`);
    });
  }

  #isToBeRenewed(location: Location, head: Buffer): boolean {
    const { parts, options } = this.#its;
    if (!isEnvelope(head)) return options.plaintext === 'encrypt' && this.#isToBeEncrypted(location);
    if (this.#valuesOf(location).isCurrent(head)) return false;
    const keyId = keyIdOf(head);
    if (keyId !== undefined && parts.options.ring.get(keyId)) return true;
    const why = keyId === undefined ? 'is cut short' : `is under key ${showKeyId(keyId)}, which is not here`;
    this.#refuse(`${subjectOf(location)} ${why}`);
    return false;
  }

  /** @param first what was just read there */
  async #renew(found: Location, first: Buffer | undefined): Promise<void> {
    const { parts, patience } = this.#its;
    for (let look = 1; look <= MOST_LOOKS; look++) {
      const raw = look === 1 && first ? first : await this.#read(found);
      if (!raw || (look > 1 && !this.#isToBeRenewed(found, raw))) return;
      const value = this.#open(raw, found);
      if (!value) return;
      if (await patience.ask(() => parts.reencryption.replace(value))) return void this.counts.reencrypted++;
    }
    this.#refuse(`${subjectOf(found)} is written again and again under another key`);
  }

  async #read({ redisKey, field }: Location): Promise<Buffer | undefined> {
    const { parts, patience } = this.#its;
    const read = (client: RedisClient): Promise<Buffer | null> =>
      field === '' ? client.getBuffer(redisKey) : client.hgetBuffer(redisKey, field);
    return (await unlessReplaced(patience.ask(() => read(parts.connection.client)))) ?? undefined;
  }

  #open(raw: Buffer, found: Location): ReadValue | undefined {
    const context = this.#contextOf(found);
    try {
      const { hasContext, binding } = isEnvelope(raw) ? inspectEnvelope(raw) : NOT_ENCRYPTED;
      const fault = this.#contextFault({ hasContext, binding }, context);
      // One that says that it has no context has none.
      const isWithout = binding !== 'none' && !hasContext;
      const location = { ...found, context: (isWithout ? undefined : context) ?? '' };
      if (fault === undefined) return { location, raw, opened: this.#valuesOf(found).open(raw, location) };
      this.#refuse(`${subjectOf(found)} ${fault}`);
    } catch (error) {
      if (!(error instanceof EncryptionError)) throw error;
      this.#refuse(error.message);
    }
    return undefined;
  }

  /** Without its context a value would be taken for one that was tampered with, or could not be read any more. */
  #contextFault(
    { hasContext, binding }: Pick<EnvelopeInspection, 'hasContext' | 'binding'>,
    context: string | Uint8Array | undefined,
  ): string | undefined {
    const { options, parts } = this.#its;
    if (hasContext && context === undefined) return 'has a context, and contextOf gives none';
    if (binding !== 'none' || options.contextOf || parts.options.written.binding === 'none') return undefined;
    return 'is bound to nothing, and does not say with which context it is read: contextOf has to, or give undefined for none';
  }

  /** Properties of records are bound to their places whatever the store accepts. */
  #valuesOf(location: Location): StoredValues {
    const { values, recordValues } = this.#its.parts;
    return this.#classOf(location) ? recordValues : values;
  }

  /** What is readable in a record stays so. */
  #isToBeEncrypted(location: Location): boolean {
    const classRef = this.#classOf(location);
    return !classRef || encryptedPropertiesOf(classRef.prototype).has(location.field);
  }

  /** That of the record which a field is part of, as far as it is known. No id has a colon. */
  #classOf({ namespace, key, field }: Location): RecordClass<object> | undefined {
    if (field === '') return undefined;
    return this.#its.parts.recordClasses.get(`${namespace}:${key.slice(0, key.lastIndexOf(':'))}`);
  }

  #contextOf({ key, field }: Location): string | Uint8Array | undefined {
    const context: unknown = this.#its.options.contextOf?.(key, field === '' ? undefined : field);
    if (context === undefined) return undefined;
    const checked = asContext(context);
    if (checked !== undefined) return checked;
    const message = `gives ${showValue(context)}, which is not ${CONTEXT_EXPECTED}`;
    throw new EncryptionConfigurationError('EncryptedStore.rotate', [{ option: 'contextOf', message }]);
  }

  #leaveEntry(index: string, why: string): void {
    this.counts.indexEntriesLeft++;
    this.#its.warnings.warn('index', `Rotation leaves the index '${index}': ${why}`);
  }

  #refuse(message: string): void {
    this.counts.refused++;
    this.#its.warnings.warn('refused', `Rotation leaves a value as it is: ${message}`);
  }
}
