import type { RangeCodec } from './codec.js';

/**
 * JSON, for values that others read too, or for what consists of JSON's types anyway. What JSON does not have is lost as with
 * `JSON.stringify`: a Date comes back as text, a Map as `{}`, `undefined` in an object not at all, and a bigint cannot be encoded.
 */
export const jsonCodec: RangeCodec = {
  id: 2,
  encode(value) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`JSON has nothing for a ${typeof value}`);
    return Buffer.from(text);
  },
  decode: (bytes) => JSON.parse(bytes.toString()) as unknown,
  rangeReader: () => (bytes, start, end) => JSON.parse(bytes.toString('utf8', start, end)) as unknown,
};
