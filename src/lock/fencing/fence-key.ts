import { LockConfigurationError } from '../options/lock-configuration-error.js';

/** What Redis Cluster takes for a hash tag, the part of a key that chooses its slot: between the first `{` and the next `}`, not empty. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;

/**
 * Where the largest fence is kept that a key was written with: beside the key, in its slot, and under its beginning, so that the same rule of
 * an ACL covers both. For `account:{7}` that is `account:{7}:fence`; for `account:7`, which has no hash tag, `account:7:fence:{account:7}`.
 *
 * For scripts that write more than one value, or something else than a string:
 *
 * @throws LockConfigurationError for a key with a brace, but no hash tag
 * @example
 * const pay = defineScript({
 *   lua: `local last = redis.call('GET', KEYS[2])
 *         if last and tonumber(last) > tonumber(ARGV[1]) then return 0 end
 *         redis.call('SET', KEYS[2], ARGV[1], 'EX', 86400)
 *         redis.call('HINCRBY', KEYS[1], 'paid', ARGV[2])
 *         return 1`,
 *   keys: (payment: Payment) => [payment.account, fenceKey(payment.account)],
 *   args: (payment) => [payment.fence, payment.amount],
 *   reply: (accepted) => accepted === 1,
 * });
 */
export function fenceKey(key: string): string {
  if (HASH_TAG.test(key)) return `${key}:fence`;
  if (!/[{}]/.test(key)) return `${key}:fence:{${key}}`;
  const message = `'${key}' has a brace, but no hash tag: a key without braces, or with {…} around a part of it, is accepted`;
  throw new LockConfigurationError('fenceKey', [{ option: 'key', message }]);
}
