import { showValue } from '../../redis/shared.js';

/**
 * What the option `user` or `key` has returned, as text. Anything but a text or a number would be the same text for all
 * (`[object Object]`, `NaN`), and give a user the response of another.
 *
 * @param subject whose option it is: `@HttpCache on Cities.findOne`
 * @throws TypeError for what cannot tell one from another
 */
export function checkedKeyPart(subject: string, option: 'user' | 'key', value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  const isPromise = value instanceof Promise;
  // Nobody is going to wait for it.
  if (isPromise) value.catch(() => undefined);
  const shown = isPromise ? 'a Promise' : showValue(value);
  const nobody = option === 'user' ? ', or undefined for nobody' : '';
  throw new TypeError(
    `${subject}: ${option} returned ${shown}, which is not a text (not empty) or a finite number${nobody}`,
  );
}
