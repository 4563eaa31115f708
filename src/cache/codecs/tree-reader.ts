import { ObjectShapes, type KeyStep } from './object-shapes.js';

/** What {@link TreeReader.read} returns where there is something that it does not know. */
export const UNKNOWN = Symbol('unknown');

/** The type of a time: -1. */
const TIME = 0xff;

/** Longest text that MessagePack writes the length of together with its type. */
const LONGEST_SHORT_TEXT = 31;

/** To cut a text out of a longer one is several times as fast as to make one of bytes, but keeps all of that one in memory. */
const LETTERS_AT_ONCE = 256;
/** In bytes. Longer ones are faster made of their bytes. */
const LONGEST_CUT = 64;

/** A value that is read in vain takes away what four others have saved; when nothing of it is left, it would be faster to read none. */
const MOST_CREDIT = 100;
const COST_IN_VAIN = 4;
/** So many values are left to others then; twice as many each time, as it takes its time to learn the shapes again. */
const SHORTEST_REST = 10_000;
const LONGEST_REST = 1_280_000;

/**
 * Reads the usual part of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): objects with short keys, arrays, texts,
 * booleans, null, `undefined` as msgpackr writes it, doubles, integers, bigints of up to 64 bits, and times. Of rows of a table that takes
 * half the time of a reader for all of it, as the rows have the same keys; see {@link ObjectShapes}. Where too much is none of that it
 * rests for a while, and has forgotten all shapes after that: others may come up now.
 */
export class TreeReader {
  #shapes = new ObjectShapes();
  #credit = MOST_CREDIT;
  #nextRest = SHORTEST_REST;
  #resting = 0;
  // Of the tree that is being read.
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  /** Some of the bytes as Latin-1. */
  #letters = '';
  #lettersBegin = 0;
  #lettersEnd = 0;

  /**
   * The tree in the bytes from `begin` to `end`; UNKNOWN where anything else is among them, or more than a tree, or while it rests.
   *
   * @param view of the bytes, which begins where they begin
   * @throws RangeError for bytes that end too early
   */
  read(bytes: Buffer, view: DataView, begin: number, end: number): unknown {
    if (this.#resting > 0) return this.#rest();
    this.#bytes = bytes;
    this.#view = view;
    this.#at = this.#lettersEnd = begin;
    this.#end = end;
    const tree = this.#value();
    if (this.#at !== end) return this.#failed();
    if (this.#credit < MOST_CREDIT) this.#credit++;
    return tree;
  }

  #failed(): typeof UNKNOWN {
    this.#credit -= COST_IN_VAIN;
    if (this.#credit > 0) return UNKNOWN;
    this.#resting = this.#nextRest;
    this.#nextRest = Math.min(2 * this.#nextRest, LONGEST_REST);
    return UNKNOWN;
  }

  #rest(): typeof UNKNOWN {
    if (--this.#resting > 0) return UNKNOWN;
    this.#shapes = new ObjectShapes();
    this.#credit = MOST_CREDIT;
    return UNKNOWN;
  }

  #value(): unknown {
    if (this.#at >= this.#end) return this.#stop();
    const token = this.#bytes[this.#at++] as number;
    if (token < 0x80) return token;
    if (token < 0x90) return this.#object(token & 0x0f);
    if (token < 0xa0) return this.#array(token & 0x0f);
    if (token < 0xc0) return this.#text(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    return this.#tagged(token);
  }

  /** What has its type in one byte, and its length or its value in those that follow. */
  #tagged(token: number): unknown {
    const view = this.#view;
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcb:
        return view.getFloat64(this.#pass(8));
      case 0xcc:
        return view.getUint8(this.#pass(1));
      case 0xcd:
        return view.getUint16(this.#pass(2));
      case 0xce:
        return view.getUint32(this.#pass(4));
      case 0xcf:
        return view.getBigUint64(this.#pass(8));
      case 0xd0:
        return view.getInt8(this.#pass(1));
      case 0xd1:
        return view.getInt16(this.#pass(2));
      case 0xd2:
        return view.getInt32(this.#pass(4));
      case 0xd3:
        return view.getBigInt64(this.#pass(8));
      case 0xd4:
        return view.getUint16(this.#pass(2)) === 0 ? undefined : this.#stop();
      case 0xd6:
      case 0xd7:
        return this.#time(token);
      case 0xd9:
        return this.#text(view.getUint8(this.#pass(1)));
      case 0xda:
        return this.#text(view.getUint16(this.#pass(2)));
      case 0xdc:
        return this.#array(view.getUint16(this.#pass(2)));
      case 0xde:
        return this.#object(view.getUint16(this.#pass(2)));
      default:
        return this.#stop();
    }
  }

  /** Seconds; or nanoseconds in 30 bits, and seconds in 34. */
  #time(token: number): Date | typeof UNKNOWN {
    const view = this.#view;
    if (view.getUint8(this.#pass(1)) !== TIME) return this.#stop();
    const first = view.getUint32(this.#pass(4));
    if (token === 0xd6) return new Date(first * 1_000);
    const seconds = (first & 3) * 2 ** 32 + view.getUint32(this.#pass(4));
    return new Date(seconds * 1_000 + (first >>> 2) / 1_000_000);
  }

  /** @returns where it stood before */
  #pass(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new RangeError('The bytes end too early');
    this.#at = at + length;
    return at;
  }

  #text(length: number): string {
    const begin = this.#pass(length);
    const end = begin + length;
    if (length > LONGEST_CUT || !isAscii(this.#bytes, begin, end))
      return this.#bytes.toString('utf8', begin, end);
    if (end > this.#lettersEnd) this.#lettersFrom(begin);
    return this.#letters.slice(begin - this.#lettersBegin, end - this.#lettersBegin);
  }

  #lettersFrom(begin: number): void {
    this.#lettersBegin = begin;
    this.#lettersEnd = Math.min(begin + LETTERS_AT_ONCE, this.#end);
    this.#letters = this.#bytes.toString('latin1', begin, this.#lettersEnd);
  }

  #array(length: number): unknown {
    if (length > this.#end - this.#at) return this.#stop();
    // oxlint-disable-next-line unicorn/no-new-array -- one that grows takes place for 17
    const items = new Array<unknown>(length);
    for (let index = 0; index < length; index++) items[index] = this.#value();
    return items;
  }

  #object(size: number): unknown {
    if (size > this.#end - this.#at) return this.#stop();
    // oxlint-disable-next-line unicorn/no-new-array
    const values = new Array<unknown>(size);
    let step: KeyStep | undefined = this.#shapes.first;
    for (let index = 0; index < size; index++) {
      step = this.#key(step);
      if (step === undefined) return this.#stop();
      values[index] = this.#value();
    }
    return this.#shapes.make(step, values) ?? this.#stop();
  }

  /** The key that comes after those. */
  #key(before: KeyStep): KeyStep | undefined {
    for (let step = before.next; step !== undefined; step = step.beside) {
      if (!step.isAt(this.#view, this.#at, this.#end)) continue;
      this.#at += step.length;
      return step;
    }
    return this.#newKey(before);
  }

  #newKey(before: KeyStep): KeyStep | undefined {
    if (this.#at >= this.#end) return undefined;
    const length = (this.#bytes[this.#at] as number) - 0xa0;
    if (length < 0 || length > LONGEST_SHORT_TEXT) return undefined;
    const begin = this.#pass(1 + length);
    const text = this.#bytes.toString('utf8', begin + 1, this.#at);
    // As msgpackr calls it: nobody's prototype is to be changed.
    const name = text === '__proto__' ? '__proto_' : text;
    return this.#shapes.add(before, name, this.#bytes.subarray(begin, this.#at));
  }

  /** Nothing of the bytes is to be believed: it then stands beyond their end. */
  #stop(): typeof UNKNOWN {
    this.#at = this.#end + 1;
    return UNKNOWN;
  }
}

function isAscii(bytes: Buffer, begin: number, end: number): boolean {
  let all = 0;
  for (let at = begin; at < end; at++) all |= bytes[at] as number;
  return all < 0x80;
}
