import { LockError } from '../lock-errors.js';

/** A method with `@Locked` was called on an instance that Nest's container did not build, so that it has no locks. */
export class LockNotInjectedError extends LockError {
  readonly code = 'LOCK_NOT_INJECTED';

  /** @param method as in `@Locked on BookingsService.book` */
  constructor(method: string) {
    super(
      `${method}: this instance has no locks, since Nest's container did not build it. Let Nest build it (not 'new', also not in a ` +
        "useFactory); a unit test takes Test.createTestingModule with passThroughLocks() of 'rednest/testing'",
    );
  }
}
