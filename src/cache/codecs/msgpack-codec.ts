import { Packr, RESERVE_START_SPACE, RESET_BUFFER_MODE } from 'msgpackr';
import type { RangeCodec, RangeReader } from './codec.js';
import { isSmallTree } from './small-tree.js';
import { TreeReader, UNKNOWN } from './tree-reader.js';

/** First byte of an encoding: how the rest is to be read. */
const PLAIN = 1;
const RECORDS = 2;

/**
 * One byte is left free in front, for the above. The encoder's own buffer is used again by the next call, and copied from: otherwise it
 * grows to the largest value ever, and each small encoding keeps one of that size alive.
 */
const ENCODE_OPTIONS = RESERVE_START_SPACE | RESET_BUFFER_MODE | 1;

/**
 * Binary data that is decoded is copied. A reply is a view of the 64 KB that came from the socket at a time, all of which a view of 20
 * bytes keeps alive for as long as the local tier has the value: 2,000 of them kept 120 MB. To copy few bytes takes no longer than to make
 * a view of them, and a megabyte takes 0.4 ms.
 */
const copyBuffers = true;

/** Objects as maps with their keys: twice as fast for a few objects, but it cannot tell a Map from an object, nor see a cycle. */
const plain = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true, copyBuffers });

/**
 * The keys of objects once for each shape, in the message itself: half the size, and several times as fast to decode, for many objects of
 * a shape. With what is referred to more than once, and cycles.
 */
const records = new Packr({ structuredClone: true, copyBuffers });

/**
 * MessagePack, by `msgpackr`. Keeps Date, Map, Set, Buffer, typed arrays, bigint, RegExp, Error (name, message and cause), `undefined`
 * within objects and arrays, NaN and the infinities, and cycles. Instances of classes come back as plain objects, by their `toJSON` where
 * they have one; functions as `undefined`; a key `__proto__` as `__proto_`. Symbols cannot be encoded. Each encoding can be read by itself.
 */
export const msgpackCodec: RangeCodec = {
  id: 1,
  encode(value) {
    const isPlain = isSmallTree(value);
    const bytes = Buffer.from((isPlain ? plain : records).pack(value, ENCODE_OPTIONS));
    bytes[0] = isPlain ? PLAIN : RECORDS;
    return bytes;
  },
  decode: (bytes) => decode(bytes, 0, bytes.length),
  rangeReader,
};

/** Plain encodings are read as trees; what is none, msgpackr reads. */
function rangeReader(): RangeReader {
  const trees = new TreeReader();
  return (bytes, start, end, view) => {
    const tree = bytes[start] === PLAIN ? trees.read(bytes, view, start + 1, end) : UNKNOWN;
    return tree === UNKNOWN ? decode(bytes, start, end) : tree;
  };
}

function decode(bytes: Buffer, start: number, end: number): unknown {
  const form = start < end ? bytes[start] : undefined;
  if (form !== PLAIN && form !== RECORDS) throw new TypeError('Not an encoding of the msgpack codec');
  return (form === PLAIN ? plain : records).unpack(bytes, { start: start + 1, end }) as unknown;
}
