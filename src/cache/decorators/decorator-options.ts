import { Problems, type OptionTree, type Settings } from '../../redis/shared.js';
import { CacheConfigurationError } from '../options/cache-configuration-error.js';
import { readCacheOptions } from '../options/cache-option-tree.js';
import type { EntryOptions, FactoryOptions } from '../options/cache-options.js';
import { resolveCallOptions } from '../options/resolve-call-options.js';

const KINDS = {
  function: { is: (value: unknown) => typeof value === 'function', expected: 'a function' },
  tags: {
    is: (value: unknown) => typeof value === 'function' || isTexts(value),
    expected: 'a list of texts, or a function that returns one',
  },
  text: {
    is: (value: unknown) => typeof value === 'string' && value !== '',
    expected: 'a text with at least one letter',
  },
  true: { is: (value: unknown) => value === true, expected: 'true' },
  moment: {
    is: (value: unknown) => value === 'before' || value === 'after',
    expected: "'before' or 'after'",
  },
} as const;

interface DecoratorRules {
  /** Options that a call of the cache takes, too. */
  readonly call?: OptionTree;
  /** Options of the decorator's own. */
  readonly own: Readonly<Record<string, keyof typeof KINDS>>;
  /** One of these must be given. */
  readonly needs: readonly string[];
}

/**
 * Checks the options of a decorator.
 *
 * @returns those that a call of the cache takes, as given, with durations in milliseconds
 * @throws CacheConfigurationError with every problem that was found
 */
export function checkDecorator(
  subject: string,
  options: object,
  { call = {}, own, needs }: DecoratorRules,
): EntryOptions & FactoryOptions {
  const problems = new Problems();
  const leaves = Object.fromEntries(Object.keys(own).map((name) => [name, true] as const));
  const settings = readCacheOptions(options, { ...call, ...leaves }, problems);
  for (const [name, kind] of Object.entries(own)) {
    const { is, expected } = KINDS[kind];
    settings.converted(name, (value) => is(value) || undefined, expected);
  }
  if (!needs.some((name) => settings.has(name))) problems.add(needs.join(', '), missing(needs));
  const given = givenOf(settings, problems);
  problems.throwAs((found) => new CacheConfigurationError(subject, found));
  return given;
}

function missing(needs: readonly string[]): string {
  return needs.length === 1 ? 'is missing' : 'one of them must be given';
}

function givenOf(settings: Settings, problems: Problems): EntryOptions & FactoryOptions {
  const { errors = false, ...others } = resolveCallOptions(settings, problems);
  const given = Object.entries({ ...others, errors }).filter(([name]) => settings.has(name));
  return Object.fromEntries(given);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
