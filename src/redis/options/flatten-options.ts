import { showValue } from './mask.js';
import type { Problems } from './problems.js';
import type { Given } from './settings.js';
import { reportUnknown, type Instead } from './unknown-options.js';

export type Leaf = true;
export type Group = Readonly<Record<string, Leaf>>;

/** Every option by its path. A group (`tls`) has options of its own; a leaf is checked where it is used. */
export type OptionTree = Readonly<Record<string, Leaf | Group>>;

/** What may be given in the place of a group's object: `tls: true`. */
export interface Shorthand {
  accepts(value: unknown): boolean;
  /** For the message, before `or an object of …`. */
  readonly expected: string;
}

interface FlattenRules {
  readonly shorthands?: Readonly<Record<string, Shorthand>>;
  /** What to use for an unknown option, where that is known. */
  readonly instead?: Instead;
}

/**
 * Flattens the options given in code to their paths. Unknown options and groups that are no objects are reported; what is
 * undefined counts as not given.
 */
export function flattenOptions(
  options: unknown,
  tree: OptionTree,
  problems: Problems,
  { shorthands = {}, instead }: FlattenRules = {},
): Map<string, Given> {
  const given = new Map<string, Given>();
  if (!isObject(options)) {
    problems.add('options', `${showValue(options)} is not an object of options`);
    return given;
  }
  reportUnknown('', options, tree, problems, instead);
  for (const [name, content] of Object.entries(tree)) {
    const value = options[name];
    if (value === undefined) continue;
    if (content === true || shorthands[name]?.accepts(value)) {
      given.set(name, { option: name, value, source: 'code' });
    } else {
      readGroup({ name, value, content, shorthand: shorthands[name] }, given, problems);
    }
  }
  return given;
}

interface GivenGroup {
  readonly name: string;
  readonly value: unknown;
  readonly content: Group;
  readonly shorthand: Shorthand | undefined;
}

function readGroup(
  { name, value, content, shorthand }: GivenGroup,
  given: Map<string, Given>,
  problems: Problems,
): void {
  const add = (option: string, found: unknown): void => {
    if (found !== undefined) given.set(option, { option, value: found, source: 'code' });
  };
  if (!isObject(value)) {
    const others = shorthand ? `${shorthand.expected} or ` : '';
    const expected = `${others}an object of ${Object.keys(content).join(', ')}`;
    problems.add(name, `${showValue(value)} is not ${expected}`);
    given.set(name, { option: name, value: undefined, source: 'code' });
    return;
  }
  add(name, true);
  reportUnknown(`${name}.`, value, content, problems);
  for (const option of Object.keys(content)) add(`${name}.${option}`, value[option]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
