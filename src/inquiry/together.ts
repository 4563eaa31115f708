import type { Answers } from './inquiry.js';
import type { NoFigures, Report } from './omission.js';

/** One node at least. */
export type Several<Figures> = readonly [Figures, ...Figures[]];

export function isSeveral<Item>(items: readonly Item[]): items is Several<Item> {
  return items.length > 0;
}

/** @param together makes one of the figures of all nodes that gave some */
export function reportOf<Figures extends object>(
  { nodes, omitted }: Answers<Figures>,
  together: (nodes: Several<Figures>) => Figures,
): Report<Figures> {
  const figures: Figures | NoFigures<Figures> = isSeveral(nodes) ? together(nodes) : {};
  return { ...figures, nodes, omitted };
}

export function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

/** Undefined where one of them has none. */
export function sumOfAll<Item>(
  items: readonly Item[],
  value: (item: Item) => number | undefined,
): number | undefined {
  let total = 0;
  for (const item of items) {
    const one = value(item);
    if (one === undefined) return undefined;
    total += one;
  }
  return total;
}

/** Of those that have one; undefined where none has. */
export function sumOfKnown<Item>(
  items: readonly Item[],
  value: (item: Item) => number | undefined,
): number | undefined {
  const values = known(items, value);
  return values.length > 0 ? sum(values, (one) => one) : undefined;
}

/** Of those that have one; undefined where none has. */
export function highest<Item>(
  items: readonly Item[],
  value: (item: Item) => number | undefined,
): number | undefined {
  const values = known(items, value);
  return values.length > 0 ? Math.max(...values) : undefined;
}

function known<Item>(items: readonly Item[], value: (item: Item) => number | undefined): number[] {
  return items.map(value).filter((one) => one !== undefined);
}

/** The value of all of them, or `'mixed'`. */
export function common<Item, Value extends string>(
  [first, ...others]: Several<Item>,
  value: (item: Item) => Value,
): Value | 'mixed' {
  const expected = value(first);
  return others.every((item) => value(item) === expected) ? expected : 'mixed';
}

/** What one does not do is known, whatever the others hide. */
export function everywhere(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

/** In the order in which the keys come first. */
export function groupBy<Item, Key>(items: readonly Item[], key: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
