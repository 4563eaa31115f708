import { inspect } from 'node:util';
import bytes from 'bytes';
import { RedisConfigurationError } from './configuration-error.js';

/** A number of bytes, or text with a unit (1 kb is 1,024 bytes): `'512kb'`, `'64mb'`, `'1gb'`. */
export type ByteSize = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`;

/** What a size looks like, for error messages. */
export const BYTE_SIZE_EXPECTED =
  "a size (a whole number of bytes, or text such as '512kb', '64mb', '1.5gb')";

const BYTE_SIZE_TEXT = /^(?:\d+b|\d+(?:\.\d+)?(?:kb|mb|gb))$/;

/**
 * A size in bytes.
 *
 * @param value a whole number of bytes, or text with a unit (1 kb is 1,024 bytes): `'100b'`, `'512kb'`, `'64mb'`, `'1.5gb'`
 * @param option the name of the option, for the error
 * @throws RedisConfigurationError for anything else: negative, not whole, text without a unit
 */
export function parseByteSize(value: ByteSize, option: string): number {
  const size = toBytes(value);
  if (size !== undefined) return size;
  const shown = inspect(value, { depth: 0, maxStringLength: 120, maxArrayLength: 3, breakLength: Infinity });
  throw new RedisConfigurationError(undefined, [
    { option, message: `${shown} is not ${BYTE_SIZE_EXPECTED}` },
  ]);
}

/** Bytes, or undefined where the value is no size. Parts of a byte that are left over are dropped. */
export function toBytes(value: unknown): number | undefined {
  if (typeof value === 'string') return BYTE_SIZE_TEXT.test(value) ? whole(bytes.parse(value)) : undefined;
  return typeof value === 'number' && value >= 0 ? whole(value) : undefined;
}

function whole(size: number | null): number | undefined {
  return Number.isSafeInteger(size) ? (size ?? undefined) : undefined;
}
