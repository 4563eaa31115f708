import { namespace } from '../keys/namespace.js';
import { DURATION_EXPECTED, toMilliseconds } from './duration.js';
import { showPath, showValue } from './mask.js';
import type { Problems } from './problems.js';

/** A value, and what to call it in a message: the option or the environment variable that gave it. */
export interface Given {
  readonly option: string;
  /** Undefined where the value was found wrong, and reported, when it was read. */
  readonly value: unknown;
  readonly source: 'code' | 'environment';
}

/** What was given, by the path of the option (`tls.caFile`), whether it came from code or from the environment. */
export type GivenByPath = ReadonlyMap<string, Given>;

interface IntegerRule {
  readonly min: number;
  readonly max?: number;
  /** What is accepted, for the message: `a port (1 to 65535)`. */
  readonly expected: string;
}

interface DurationRule {
  /** The least that is accepted, in milliseconds. @default more than 0 */
  readonly min?: 0;
  /** The most, in milliseconds. @default what a timer can wait for */
  readonly max?: number;
}

/** Node's timers fire at once when given more. */
const LONGEST_TIMER = 2_147_483_647;

const DAY = 86_400_000;

const NAMESPACE_EXPECTED = "a namespace (letters, digits, '_', '-' and '.', with ':' between them)";

/** Reads single settings and checks their types. What is wrong goes to the problems, and the setting is then undefined. */
export class Settings {
  readonly #given: GivenByPath;
  readonly #problems: Problems;
  readonly #labels: (path: string) => string;

  /** @param labels what to call a setting that is missing, in a message; by default its path */
  constructor(given: GivenByPath, problems: Problems, labels: (path: string) => string = (path) => path) {
    this.#given = given;
    this.#problems = problems;
    this.#labels = labels;
  }

  find(path: string): Given | undefined {
    return this.#given.get(path);
  }

  has(path: string): boolean {
    return this.#given.has(path);
  }

  /** All that was given below a path: `under('tls')` finds `tls.ca`, not `tls` itself. */
  under(path: string): Given[] {
    return [...this.#given].filter(([key]) => key.startsWith(`${path}.`)).map(([, given]) => given);
  }

  /** What to call a setting in a message, given or missing. */
  label(path: string): string {
    return this.find(path)?.option ?? this.#labels(path);
  }

  /** Text that is not empty. */
  text(path: string): string | undefined {
    return this.#check(
      path,
      isFilledText,
      (value) => `${showValue(value)} is not a text with at least one letter`,
    );
  }

  /** The same, and the value is never shown. */
  secret(path: string): string | undefined {
    return this.#check(path, isNotEmpty, (value) => {
      return value === '' ? 'is empty; leave it out where there is none' : `'***' is not a text`;
    });
  }

  /** The path of a file. Shown only if it looks like one. */
  path(path: string): string | undefined {
    return this.#check(path, isFilledText, (value) => {
      return `${typeof value === 'string' ? showPath(value) : showValue(value)} is not the path of a file`;
    });
  }

  boolean(path: string): boolean | undefined {
    return this.#check(path, isBoolean, (value) => `${showValue(value)} is not true or false`);
  }

  choice<T extends string>(path: string, choices: readonly T[]): T | undefined {
    const isChoice = (value: unknown): value is T => (choices as readonly unknown[]).includes(value);
    return this.#check(path, isChoice, (value) => {
      return `${showValue(value)} is not ${choices.map((choice) => `'${choice}'`).join(' or ')}`;
    });
  }

  integer(path: string, { min, max = Number.MAX_SAFE_INTEGER, expected }: IntegerRule): number | undefined {
    const isInRange = (value: unknown): value is number => {
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
    };
    return this.#check(path, isInRange, (value) => `${showValue(value)} is not ${expected}`);
  }

  /** A duration in milliseconds; without a rule, more than 0 and one that a timer can wait for. */
  duration(path: string, rule: DurationRule = {}): number | undefined {
    const given = this.find(path);
    if (given?.value === undefined) return undefined;
    const milliseconds = toMilliseconds(given.value);
    const fault = durationFault(milliseconds, rule);
    if (!fault) return milliseconds;
    this.#problems.add(given.option, `${showValue(given.value)} is ${fault}`);
    return undefined;
  }

  /** The name of a namespace: a first part of keys. */
  namespace(path: string): string | undefined {
    return this.converted(path, asNamespace, NAMESPACE_EXPECTED);
  }

  signal(path: string): AbortSignal | undefined {
    return this.converted(path, asSignal, 'an AbortSignal');
  }

  /** What `convert` makes of the value; where that is undefined, the value is wrong. */
  converted<T>(path: string, convert: (value: unknown) => T | undefined, expected: string): T | undefined {
    const given = this.find(path);
    if (given?.value === undefined) return undefined;
    const converted = convert(given.value);
    if (converted !== undefined) return converted;
    this.#problems.add(given.option, `${showValue(given.value)} is not ${expected}`);
    return undefined;
  }

  #check<T>(path: string, isRight: (value: unknown) => value is T, message: (value: unknown) => string) {
    const given = this.find(path);
    if (given?.value === undefined) return undefined;
    if (isRight(given.value)) return given.value;
    this.#problems.add(given.option, message(given.value));
    return undefined;
  }
}

function durationFault(
  milliseconds: number | undefined,
  { min, max = LONGEST_TIMER }: DurationRule,
): string | undefined {
  if (milliseconds === undefined) return `not ${DURATION_EXPECTED}`;
  if (milliseconds === 0 && min !== 0) return 'not more than 0 ms';
  if (milliseconds <= max) return undefined;
  if (max === LONGEST_TIMER) return 'more than the 24.8 days that a timer can wait';
  return `more than ${Math.floor(max / DAY)} days`;
}

function isFilledText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isNotEmpty(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function asNamespace(value: unknown): string | undefined {
  try {
    return typeof value === 'string' ? namespace(value).name : undefined;
  } catch {
    return undefined;
  }
}

function asSignal(value: unknown): AbortSignal | undefined {
  return value instanceof AbortSignal ? value : undefined;
}
