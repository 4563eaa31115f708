export { Locked } from './decorators/locked.js';
export { type LockedOptions } from './decorators/locked-options.js';
export { LockNotInjectedError } from './decorators/lock-not-injected-error.js';
export { type LockStats } from './lock-engine.js';
export { fenceKey } from './fencing/fence-key.js';
export { fencedWrite, type FencedWrite } from './fencing/fenced-write.js';
export type {
  HeldResource,
  LockHolder,
  LockInspection,
  LockKind,
  LockMode,
  LockWaiter,
} from './inspection/lock-inspection.js';
export { type RevokedHolder } from './inspection/lock-inspector.js';
export { Leader } from './leader/leader.js';
export type { LeaderCallbacks, LeaderOptions } from './leader/leader-options.js';
export { LeaderTerm } from './leader/leader-term.js';
export { LockExceptionFilter } from './http/lock-exception.filter.js';
export { type ReleaseOutcome } from './lease/held-lease.js';
export type { Lease } from './lease/lease.js';
export * from './lock-errors.js';
export { lockChannel, type LeaseEvent, type LockEvent, type LockEvents } from './lock-events.js';
export {
  LockModule,
  type LockModuleAsyncOptions,
  type LockModuleExtras,
  type LockModuleOptions,
  type LockOptionsFactory,
} from './lock.module.js';
export {
  LockService,
  type ForceReleaseOptions,
  type ReadWriteLock,
  type LockResources,
} from './lock.service.js';
export type { Lock, LockRoutine } from './lock.js';
export { LockConfigurationError } from './options/lock-configuration-error.js';
export type { LeaseOptions, LockOptions, LockRootOptions, TryLockOptions } from './options/lock-options.js';
