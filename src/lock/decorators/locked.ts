import { checkKey } from '../../decorators/check-key.js';
import {
  decorateMethod,
  type Around,
  type AsyncMethod,
  type InjectedService,
  type MethodDecoratorFor,
  type Place,
} from '../../decorators/decorate-method.js';
import type { Lease } from '../lease/lease.js';
import type { Lock } from '../lock.js';
import { LockTimeoutError } from '../lock-errors.js';
import { LockService } from '../lock.service.js';
import type { LockOptions } from '../options/lock-options.js';
import { LockNotInjectedError } from './lock-not-injected-error.js';
import { checkLockedOptions, type AnyLockedOptions, type LockedOptions } from './locked-options.js';
import { isBehindLocked, markLocked } from './overrides.js';

const LOCKS: InjectedService = {
  token: LockService,
  property: Symbol.for('rednest:locks'),
  title: 'a lock',
  notInjected: (subject) => new LockNotInjectedError(subject),
};

/**
 * Runs the method while a lock is held, one call at a time over all replicas. `LockService.current()` gives its lease: `signal` tells a
 * long method that the lock is lost, and `fence` is for what it writes to. The method is not stopped by that; what it gives or throws is
 * what the caller gets.
 *
 * The parameters of `key` are those of the method. Where it overrides a method that is locked, too, and calls it by `super`, a resource that
 * both lock is acquired once.
 *
 * @throws LockConfigurationError for wrong options, when the class is defined; LockNotInjectedError, at a call, on an instance that Nest
 *   did not build; whatever `key` throws, and TypeError for what is no key; LockTimeoutError, LockUnavailableError and LockCancelledError
 *   where the lock was not acquired: the method has not run
 * @example
 * \@Locked({ key: (from, to) => [`account:${from}`, `account:${to}`], wait: '2s' })
 * transfer(from: string, to: string, amount: number): Promise<void> { … }
 * @example
 * // Once an hour, by one replica: those whose clocks are up to a minute late find it locked still.
 * \@Locked({ key: 'ranking', onContention: 'skip', atLeastFor: '1m', atMostFor: '50m' })
 * \@Cron('0 * * * *')
 * async refresh(): Promise<void> { … }
 */
export function Locked<F extends AsyncMethod>(options: LockedOptions<F>): MethodDecoratorFor<F> {
  const decorate = decorateMethod<F, LockService>({
    decorator: '@Locked',
    service: LOCKS,
    prepare: (place) => prepare(options as AnyLockedOptions, place),
  });
  return (target, property, descriptor) => {
    decorate(target, property, descriptor);
    markLocked(descriptor.value!);
  };
}

function prepare<F extends AsyncMethod>(options: AnyLockedOptions, place: Place): Around<F, LockService> {
  const { subject } = place;
  const given = checkLockedOptions(subject, options);
  const { key, onContention, status } = options;
  const behind: LockOptions = { ...given, reentrant: true };
  const acquire = onContention === 'skip' ? acquireOrSkip : acquireOrThrow;
  return async ({ service: locks, instance, args, proceed }) => {
    const resources = typeof key === 'function' ? checkKeys(subject, key(...args)) : key;
    const lock = status ? locks.lock(resources).answering(status) : locks.lock(resources);
    const lease = await acquire(lock, isBehindLocked(instance, place) ? behind : given);
    return lease && lock.runUnder(lease, proceed);
  };
}

function acquireOrThrow(lock: Lock, options: LockOptions): Promise<Lease> {
  return lock.acquire(options);
}

/** That others hold the lock is nothing that anybody is to be told of. */
async function acquireOrSkip(lock: Lock, { wait, ...others }: LockOptions): Promise<Lease | undefined> {
  if (wait === undefined) return lock.tryAcquire(others);
  try {
    return await lock.acquire({ wait, ...others });
  } catch (error) {
    if (error instanceof LockTimeoutError) return undefined;
    throw error;
  }
}

function checkKeys(subject: string, keys: unknown): string | readonly string[] {
  if (!Array.isArray(keys)) return checkKey(subject, keys);
  if (keys.length === 0) throw new TypeError(`${subject}: key returned an empty list`);
  return keys.map((each) => checkKey(subject, each));
}
