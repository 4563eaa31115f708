/**
 * Makes bytes of values and values of bytes. Both are synchronous; compression is done around it, and off the event loop.
 *
 * @example
 * const text: Codec = { id: 200, encode: (value) => Buffer.from(String(value)), decode: (bytes) => bytes.toString() };
 */
export interface Codec {
  /**
   * Written into each entry, so that one which another codec wrote is told and counts as a miss: 0 to 99 are rednest's own, 100 to
   * 255 are yours.
   */
  readonly id: number;
  /** @param key the entry's key, for codecs that bind a value to its place */
  encode(value: unknown, key: string): Buffer;
  /**
   * @param bytes a view of what came from the socket: copy what is kept of it
   * @throws anything for bytes that it cannot read: the entry is then a miss, with a warning
   */
  decode(bytes: Buffer, key: string): unknown;
}

/** What rednest's own codecs can do beside: read from the middle of bytes that are used again for the next value. */
export interface RangeCodec extends Codec {
  /** One for each cache: what it learns of the values, it learns for nobody else. */
  rangeReader(): RangeReader;
}

/** As `decode`, of the bytes from `start` to `end`. @param view of the bytes: to make one takes as long as to decode a row */
export type RangeReader = (bytes: Buffer, start: number, end: number, view: DataView) => unknown;

export function isRangeCodec(codec: Codec): codec is RangeCodec {
  return 'rangeReader' in codec;
}
