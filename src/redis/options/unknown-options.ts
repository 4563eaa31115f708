import { closestName } from './did-you-mean.js';
import { showValue } from './mask.js';
import type { Problems } from './problems.js';

/** What to use for an option of that name, or undefined where nothing is known of it. */
export type Instead = (name: string) => string | undefined;

/** Unknown options, with the one that was probably meant. Their values are not shown: a misspelt `pasword` is a secret too. */
export function reportUnknown(
  prefix: string,
  options: object,
  known: object,
  problems: Problems,
  instead: Instead = () => undefined,
): void {
  const names = Object.keys(known);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const option = `${prefix}${showValue(name).slice(1, -1)}`;
    problems.add(option, `is not an option of rednest; ${instead(name) ?? suggestion(name, names)}`);
  }
}

function suggestion(name: string, names: readonly string[]): string {
  const closest = closestName(name, names);
  const known = `known are ${names.join(', ')}${names.includes('driver') ? '; options of ioredis go under driver' : ''}`;
  return closest ? `did you mean ${closest}?` : known;
}
