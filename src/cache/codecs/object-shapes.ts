/** Makes an object of its values, in the order of its keys. */
type MakeObject = (values: readonly unknown[]) => object;

/** After so many objects of a shape a function is compiled for it, which takes as long as to make some hundreds of objects. */
const TIMES_BEFORE_COMPILING = 20;

/** Of many functions each is called too seldom for V8 to optimize it: faster than msgpackr with 128 of them, slower with 300. Measured. */
const MOST_COMPILED = 100;

/** So many keys may follow after a key, and there are so many in all: objects whose keys are data would fill the memory. */
const MOST_NEXT = 32;
const MOST_STEPS = 1_024;

/** A key of objects that begin with the same keys, as it stands in the bytes. */
export class KeyStep {
  readonly before: KeyStep | undefined;
  readonly text: string;
  /** In bytes. */
  readonly length: number;
  /** Four bytes at a time, which is faster to compare; then what is left of them. */
  readonly #words: number[] = [];
  readonly #rest: number[] = [];
  /** The first of those that may come next, and another that may come in its own place. */
  next: KeyStep | undefined;
  beside: KeyStep | undefined;
  /** Objects that ended with this one. */
  times = 0;
  /** Makes such objects, when there were many. */
  make: MakeObject | undefined;

  constructor(before: KeyStep | undefined, text: string, bytes: Buffer) {
    this.before = before;
    this.text = text;
    this.length = bytes.length;
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) this.#words.push(bytes.readInt32BE(at));
    for (; at < bytes.length; at++) this.#rest.push(bytes[at] as number);
  }

  /** Whether it stands there. */
  isAt(view: DataView, at: number, end: number): boolean {
    if (at + this.length > end) return false;
    let from = at;
    const words = this.#words;
    for (let index = 0; index < words.length; index++, from += 4)
      if (view.getInt32(from) !== words[index]) return false;
    const rest = this.#rest;
    for (let index = 0; index < rest.length; index++, from++)
      if (view.getUint8(from) !== rest[index]) return false;
    return true;
  }
}

/**
 * The keys of objects that were read before, in their order. Rows of a table have the same ones: to see that is faster than to read them,
 * and one literal faster than to add key after key to an object (V8 calls what they share a hidden class). It learns about a hundred
 * shapes, and no more.
 */
export class ObjectShapes {
  /** Before the first key of any object. */
  readonly first = new KeyStep(undefined, '', Buffer.alloc(0));
  #steps = 0;
  #compiled = 0;

  /** Adds what may come after a step. @returns undefined where there is no place for it */
  add(before: KeyStep, text: string, bytes: Buffer): KeyStep | undefined {
    let siblings = 0;
    for (let step = before.next; step; step = step.beside) siblings++;
    if (siblings >= MOST_NEXT || this.#steps >= MOST_STEPS) return undefined;
    const step = new KeyStep(before, text, bytes);
    step.beside = before.next;
    before.next = step;
    this.#steps++;
    return step;
  }

  /** An object that ends with the key; undefined where it is of one shape too many. */
  make(last: KeyStep, values: readonly unknown[]): object | undefined {
    if (last.make) return last.make(values);
    if (++last.times > TIMES_BEFORE_COMPILING) return this.#compile(last)?.(values);
    const object: Record<string, unknown> = {};
    const keys = keysUpTo(last);
    for (let index = 0; index < keys.length; index++) object[keys[index]!] = values[index];
    return object;
  }

  #compile(last: KeyStep): MakeObject | undefined {
    if (this.#compiled >= MOST_COMPILED) return undefined;
    this.#compiled++;
    return (last.make = compile(keysUpTo(last)));
  }
}

function keysUpTo(last: KeyStep): string[] {
  const keys: string[] = [];
  for (let step = last; step.before; step = step.before) keys.push(step.text);
  return keys.toReversed();
}

/**
 * `{ "id": values[0], "name": values[1] }`. The keys are quoted, so that nothing else can be made of them; none is `__proto__`. Undefined
 * where this process compiles no texts, as with `--disallow-code-generation-from-strings`.
 */
function compile(keys: readonly string[]): MakeObject | undefined {
  const fields = keys.map((key, position) => `${JSON.stringify(key)}: values[${position}]`);
  try {
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func
    return new Function('values', `return { ${fields.join(', ')} }`) as MakeObject;
  } catch {
    return undefined;
  }
}
