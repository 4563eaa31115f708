import { showValue } from '../redis/shared.js';

/**
 * What a key function returned, if it can be a key.
 *
 * @throws TypeError otherwise: without types, a method's `undefined` would become a key that many calls share
 */
export function checkKey(subject: string, key: unknown): string {
  if (typeof key === 'string' && key !== '') return key;
  throw new TypeError(
    `${subject}: key returned ${showValue(key)}, which is not a text with at least one letter`,
  );
}
