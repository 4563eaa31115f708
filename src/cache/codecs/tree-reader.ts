import { ObjectShapes, type KeyStep } from './object-shapes.js';

/** What {@link TreeReader.read} returns where there is something that it does not know. */
export const UNKNOWN = Symbol('unknown');

/** Larger ones gain little; and a text that is cut out of another keeps all of it in memory. */
export const LARGEST_TREE = 2_048;

/** The type of a time: -1. */
const TIME = 0xff;

/** Longest text that MessagePack writes the length of together with its type. */
const LONGEST_SHORT_TEXT = 31;

/**
 * Reads the usual part of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): objects with short keys, arrays, texts,
 * booleans, null, `undefined` as msgpackr writes it, doubles, integers of up to 32 bits, and times. Of rows of a table that takes half the
 * time of a reader for all of it, as the rows have the same keys; see {@link ObjectShapes}.
 */
export class TreeReader {
  readonly #shapes = new ObjectShapes();
  // Of the tree that is being read.
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  /** All bytes as Latin-1: to cut a text out of it is several times as fast as to make one of bytes. */
  #letters = '';
  #begin = 0;

  /**
   * The tree in the bytes from `begin` to `end`; UNKNOWN where anything else is among them, or they are damaged.
   *
   * @param view of the bytes, which begins where they begin
   */
  read(bytes: Buffer, view: DataView, begin: number, end: number): unknown {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = this.#begin = begin;
    this.#end = end;
    this.#letters = bytes.toString('latin1', begin, end);
    const tree = this.#value();
    return this.#at === end ? tree : UNKNOWN;
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
      case 0xd0:
        return view.getInt8(this.#pass(1));
      case 0xd1:
        return view.getInt16(this.#pass(2));
      case 0xd2:
        return view.getInt32(this.#pass(4));
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
    this.#at = at + length;
    return at;
  }

  #text(length: number): string | typeof UNKNOWN {
    const bytes = this.#bytes;
    const begin = this.#pass(length);
    const end = begin + length;
    if (end > this.#end) return this.#stop();
    let all = 0;
    for (let at = begin; at < end; at++) all |= bytes[at] as number;
    const isAscii = all < 0x80;
    return isAscii
      ? this.#letters.slice(begin - this.#begin, end - this.#begin)
      : bytes.toString('utf8', begin, end);
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
    return step.make === undefined ? this.#shapes.make(step, values) : step.make(values);
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
    const length = (this.#bytes[this.#at] as number) - 0xa0;
    const begin = this.#pass(1 + length);
    if (length < 0 || length > LONGEST_SHORT_TEXT || this.#at > this.#end) return undefined;
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
