import type { AsyncMethod, Resolved } from '../../decorators/decorate-method.js';
import { flattenOptions, Problems, Settings } from '../../redis/shared.js';
import { LockConfigurationError } from '../options/lock-configuration-error.js';
import type { LockOptions } from '../options/lock-options.js';
import { checkLockSettings, LOCK_OPTIONS } from '../options/resolve-lock-options.js';

interface LockedBase<F extends AsyncMethod> extends Omit<LockOptions, 'signal'> {
  /** What is locked, one resource or several together; from the arguments of the method, or always the same. What it throws, the caller gets. */
  key: string | readonly string[] | ((...args: Parameters<F>) => string | readonly string[]);
}

interface Throwing {
  /**
   * What becomes of a call while others hold the lock: `'throw'`, it is rejected with `LockTimeoutError` after `wait`; `'skip'`, the method
   * is not run, and the call gives `undefined`. With `'skip'`, the default of `wait` is 0. Where Redis is away, the call is rejected either
   * way. @default 'throw'
   */
  onContention?: 'throw';
  /** What a client of a controller is answered where others hold the lock: 423 Locked, or 409 Conflict. @default 423 */
  status?: 423 | 409;
}

interface Skipping {
  /** The method is not run while others hold the lock, and the call gives `undefined`. */
  onContention: 'skip';
  status?: never;
}

/** Options of `@Locked`. Those that are left out are those of the module. `'skip'` is for a method whose promise may give nothing. */
export type LockedOptions<F extends AsyncMethod> = LockedBase<F> &
  (Throwing | (undefined extends Resolved<F> ? Skipping : never));

/** As {@link LockedOptions}, whatever the method is. */
export type AnyLockedOptions = LockedBase<(...args: never[]) => Promise<unknown>> & (Throwing | Skipping);

const { signal: _, ...SHARED_OPTIONS } = LOCK_OPTIONS;

const TREE = { key: true, ...SHARED_OPTIONS, onContention: true, status: true } as const;

/**
 * Checks the options of a decorator.
 *
 * @returns those of the acquisition; without `wait`, where a call is skipped at once
 * @throws LockConfigurationError with every problem that was found
 */
export function checkLockedOptions(subject: string, options: AnyLockedOptions): LockOptions {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, TREE, problems), problems);
  const { wait } = checkLockSettings(settings, problems);
  if (!settings.has('key')) problems.add('key', 'is missing');
  settings.converted('key', isKey, KEY_EXPECTED);
  const onContention = settings.choice('onContention', ['throw', 'skip']);
  const status = settings.converted('status', isStatus, '423 or 409');
  if (status && onContention === 'skip')
    problems.add('status', "is for onContention: 'throw'; a call that is skipped succeeds");
  problems.throwAs((found) => new LockConfigurationError(subject, found));
  const given = Object.keys(SHARED_OPTIONS).filter((name) => settings.has(name));
  const isWaiting = onContention !== 'skip' || wait > 0;
  const shared = given.filter((name) => isWaiting || name !== 'wait');
  return Object.fromEntries(shared.map((name) => [name, settings.find(name)?.value]));
}

const KEY_EXPECTED = 'a text with at least one letter, a list of such, or a function that returns one';

function isKey(key: unknown): true | undefined {
  if (typeof key === 'function') return true;
  const texts: readonly unknown[] = Array.isArray(key) ? key : [key];
  const isRight = texts.length > 0 && texts.every((text) => typeof text === 'string' && text.trim() !== '');
  return isRight || undefined;
}

function isStatus(status: unknown): true | undefined {
  return status === 423 || status === 409 || undefined;
}
