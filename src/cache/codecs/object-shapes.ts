/** Makes an object of its values, in the order of its keys. */
type MakeObject = (values: readonly unknown[]) => object;

/** After so many objects of a shape a function is compiled for it, which takes as long as to make a thousand objects. */
const TIMES_BEFORE_COMPILING = 20;

/** So many keys may follow after a key, and there are so many in all: objects whose keys are data would fill the memory. */
const MOST_NEXT = 64;
const MOST_STEPS = 4_096;

/** After so many keys that there was no place for, everything is forgotten: the place may have gone to what is no longer read. */
const MOST_REFUSALS = 10_000;

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
  /** Of an object that ends with this one, when there was any. */
  keys: readonly string[] | undefined;
  /** Makes such objects, when there were many. */
  make: MakeObject | undefined;
  times = 0;

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
 * and one literal faster than to add key after key to an object (V8 calls what they share a hidden class).
 */
export class ObjectShapes {
  #first = newFirst();
  #steps = 0;
  #refusals = 0;

  /** Before the first key of any object. */
  get first(): KeyStep {
    return this.#first;
  }

  /** Adds what may come after a step. @returns undefined where there is no place for it */
  add(before: KeyStep, text: string, bytes: Buffer): KeyStep | undefined {
    let siblings = 0;
    for (let step = before.next; step; step = step.beside) siblings++;
    if (siblings >= MOST_NEXT || this.#steps >= MOST_STEPS) return this.#refuse();
    const step = new KeyStep(before, text, bytes);
    step.beside = before.next;
    before.next = step;
    this.#steps++;
    return step;
  }

  /** An object that ends with the key. */
  make(last: KeyStep, values: readonly unknown[]): object {
    if (last.make) return last.make(values);
    const keys = (last.keys ??= keysUpTo(last));
    if (++last.times >= TIMES_BEFORE_COMPILING) last.make = compile(keys);
    const object: Record<string, unknown> = {};
    for (let index = 0; index < keys.length; index++) object[keys[index]!] = values[index];
    return object;
  }

  #refuse(): undefined {
    if (++this.#refusals < MOST_REFUSALS) return;
    this.#first = newFirst();
    this.#steps = this.#refusals = 0;
  }
}

/** Whether this process compiles texts; with `--disallow-code-generation-from-strings` none does. Objects are then made faster elsewhere. */
export function canCompile(): boolean {
  try {
    compile(['key']);
    return true;
  } catch {
    return false;
  }
}

function newFirst(): KeyStep {
  return new KeyStep(undefined, '', Buffer.alloc(0));
}

function keysUpTo(last: KeyStep): string[] {
  const keys: string[] = [];
  for (let step = last; step.before; step = step.before) keys.unshift(step.text);
  return keys;
}

/** `{ "id": values[0], "name": values[1] }`. The keys are quoted, so that nothing else can be made of them; none is `__proto__`. */
function compile(keys: readonly string[]): MakeObject {
  const fields = keys.map((key, position) => `${JSON.stringify(key)}: values[${position}]`);
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func
  return new Function('values', `return { ${fields.join(', ')} }`) as MakeObject;
}
