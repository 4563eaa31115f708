import { types } from 'node:util';

/** An entry of a stream: a time in milliseconds, and a number within it. Each half has 64 bits. */
const ENTRY_ID = /^(\d{1,20})-(\d{1,20})$/;

const LARGEST = 2n ** 64n - 1n;

/** What a `from` is, for messages. */
export const FROM_EXPECTED =
  "'beginning', 'now', a Date from 1970 on, or the id of an entry such as '1700000000000-0'";

/**
 * Where a group begins, as an id of `XGROUP CREATE`: after the entry that it names. Undefined for what is none.
 *
 * @example asStreamId(new Date(1_000)) // '999-18446744073709551615', so that what was published at that very time is read
 */
export function asStreamId(from: unknown): string | undefined {
  if (from === 'beginning') return '0';
  if (from === 'now') return '$';
  if (types.isDate(from)) return beforeTime(from.getTime());
  return typeof from === 'string' && isEntryId(from) ? from : undefined;
}

function beforeTime(time: number): string | undefined {
  if (Number.isNaN(time) || time < 0) return undefined;
  return time === 0 ? '0' : `${time - 1}-${LARGEST}`;
}

/** Whether it is the id of an entry of a stream. */
export function isEntryId(text: string): boolean {
  const halves = ENTRY_ID.exec(text)?.slice(1);
  return halves !== undefined && halves.every((half) => BigInt(half) <= LARGEST);
}
