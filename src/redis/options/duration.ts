import ms, { type StringValue } from 'ms';
import { RedisConfigurationError } from './configuration-error.js';
import { showValue } from './mask.js';
import type { Duration } from './redis-options.js';

/** What a duration looks like, for error messages. */
export const DURATION_EXPECTED =
  "a duration (milliseconds as a number, or text such as '250ms', '5s', '10m')";

const DURATION_TEXT = /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/;

/**
 * A duration in milliseconds.
 *
 * @param value milliseconds as a number, or text with a unit: `'250ms'`, `'5s'`, `'10m'`, `'1h'`, `'7d'`
 * @param option the name of the option, for the error
 * @throws RedisConfigurationError for anything else: negative, not finite, text without a unit
 */
export function parseDuration(value: Duration, option: string): number {
  const milliseconds = toMilliseconds(value);
  if (milliseconds !== undefined) return milliseconds;
  const message = `${showValue(value)} is not ${DURATION_EXPECTED}`;
  throw new RedisConfigurationError(undefined, [{ option, message }]);
}

/** Milliseconds, or undefined where the value is no duration. */
export function toMilliseconds(value: unknown): number | undefined {
  if (typeof value === 'string')
    return DURATION_TEXT.test(value) ? finite(ms(value as StringValue)) : undefined;
  return typeof value === 'number' && value >= 0 ? finite(value) : undefined;
}

/** `ms` answers undefined for text of more than 100 characters. */
function finite(milliseconds: number | undefined): number | undefined {
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
