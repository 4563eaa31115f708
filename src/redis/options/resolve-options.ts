import type { ConfigurationProblem } from './configuration-error.js';
import { flattenOptions, type OptionTree } from './flatten-options.js';
import { Problems } from './problems.js';
import { Settings } from './settings.js';

interface OptionsToResolve {
  readonly options: unknown;
  readonly tree: OptionTree;
  readonly toError: (problems: readonly ConfigurationProblem[]) => Error;
}

/**
 * Options, read and checked.
 *
 * @param read reports what is wrong with them
 * @throws what `toError` makes of every problem that was found
 */
export function resolveOptions<Resolved>(
  { options, tree, toError }: OptionsToResolve,
  read: (settings: Settings, problems: Problems) => Resolved,
): Resolved {
  const problems = new Problems();
  const resolved = read(new Settings(flattenOptions(options, tree, problems), problems), problems);
  problems.throwAs(toError);
  return resolved;
}
