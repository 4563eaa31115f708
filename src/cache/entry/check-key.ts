import { showValue } from '../../redis/shared.js';

/**
 * A key that was given, if it can be one.
 *
 * @throws TypeError otherwise. Without types, all objects would be the key '[object Object]'; and Redis has the same place for every text
 * that holds half a surrogate pair
 */
export function checkKey(key: unknown): string {
  if (typeof key !== 'string' || key === '')
    throw new TypeError(`key: ${showValue(key)} is not a text with at least one letter`);
  if (!key.isWellFormed())
    throw new TypeError(`key: ${JSON.stringify(key)} holds half a surrogate pair, which Redis cannot keep`);
  return key;
}

/** @throws TypeError for what is no key, or list of keys */
export function checkKeys(keys: unknown): readonly string[] {
  if (!Array.isArray(keys)) throw new TypeError(`keys: ${showValue(keys)} is not a text or a list of texts`);
  for (const key of keys) checkKey(key);
  return keys as readonly string[];
}
