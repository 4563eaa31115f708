export * from './encryption-errors.js';
export {
  encryptionChannel,
  type EncryptionEvents,
  type EncryptionNotice,
  type EncryptionStats,
  type EncryptionPlaceNotice,
} from './encryption-events.js';
export {
  EncryptionModule,
  type EncryptionModuleAsyncOptions,
  type EncryptionModuleExtras,
  type EncryptionModuleOptions,
  type EncryptionOptionsFactory,
} from './encryption.module.js';
export { EncryptionService, type KeyInfo as EncryptionKeyInfo } from './encryption.service.js';
export { type Encoding as EnvelopeEncoding } from './envelope/header.js';
export { type EnvelopeInspection } from './envelope/inspect-envelope.js';
export { type Binding as EnvelopeBinding } from './envelope/place.js';
export { EncryptionConfigurationError } from './options/encryption-configuration-error.js';
export type {
  AcceptedOptions as EncryptionAcceptedOptions,
  EncryptionKey,
  EncryptionKeyMaterial,
  EncryptionKeyWithId,
  EncryptionRootOptions,
  PlaintextMigrationOptions,
} from './options/encryption-options.js';
export { Encrypted, type EncryptedOptions } from './records/encrypted.decorator.js';
export { EncryptedRecords } from './records/encrypted-records.js';
export { EncryptionRecordInvalidError } from './records/encryption-record-invalid-error.js';
export type {
  RecordClass,
  RecordInput,
  RecordsOptions,
  SaveRecordOptions,
} from './records/record-options.js';
export type { FoundRecord } from './records/record-search.js';
export { RecordStore } from './records/record-store.js';
export type { ReindexOptions, ReindexProgress, ReindexReport } from './records/reindex-options.js';
export type {
  RotationOptions,
  RotationProgress,
  SweepOptions as KeyUsageOptions,
} from './rotation/rotation-options.js';
export type { KeyUsage, KeyUsageReport, RotationReport } from './rotation/rotation-report.js';
export { EncryptedStore } from './store/encrypted-store.js';
export type {
  ContextOptions as EncryptionContextOptions,
  SetManyOptions as EncryptedSetManyOptions,
  SetOptions as EncryptedSetOptions,
} from './store/store-options.js';
export { type SuiteName as EncryptionSuite } from './suites/suites.js';
