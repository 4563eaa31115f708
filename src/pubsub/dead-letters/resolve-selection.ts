import { flattenOptions, Problems, Settings, showValue, type OptionTree } from '../../redis/shared.js';
import type { DeadReason } from '../bus-events.js';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import { isEntryId } from '../options/stream-id.js';
import type {
  DeadLetterFilter,
  DeadLetterListOptions,
  DeadLetterWorkOptions,
} from './dead-letter-options.js';

const FILTER = { group: true, reason: true } as const satisfies OptionTree &
  Record<keyof DeadLetterFilter, true>;

const LIST = { ...FILTER, limit: true, after: true } as const satisfies OptionTree &
  Record<keyof DeadLetterListOptions, true>;

const WORK = { onProgress: true } as const satisfies OptionTree & Record<keyof DeadLetterWorkOptions, true>;

const REASONS = Object.keys({
  failed: true,
  undecodable: true,
  oversized: true,
  invalid: true,
  version: true,
} satisfies Record<DeadReason, true>) as DeadReason[];

const ID_EXPECTED = "the id of a dead letter such as '1700000000000-0'";

/** Letters by their ids, or those that a filter lets through. */
export type ResolvedSelection = { readonly ids: readonly string[] } | { readonly filter: DeadLetterFilter };

export interface ResolvedListOptions {
  readonly filter: DeadLetterFilter;
  readonly limit: number;
  readonly after: string | undefined;
}

/** @throws PubSubConfigurationError with every problem that was found */
export function resolveSelection(subject: string, which: unknown): ResolvedSelection {
  if (which === 'all') return { filter: {} };
  const problems = new Problems();
  const selection = readSelection(which, problems);
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
  return selection;
}

/** @throws PubSubConfigurationError with every problem that was found */
export function resolveFilter(subject: string, filter: unknown): DeadLetterFilter {
  const problems = new Problems();
  const resolved = readFilter(read(filter, FILTER, problems));
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
  return resolved;
}

/** @throws PubSubConfigurationError with every problem that was found */
export function resolveListOptions(subject: string, options: unknown): ResolvedListOptions {
  const problems = new Problems();
  const settings = read(options, LIST, problems);
  const resolved = {
    filter: readFilter(settings),
    limit: settings.integer('limit', { min: 0, expected: 'a whole number from 0 on' }) ?? Infinity,
    after: settings.converted('after', asEntryId, ID_EXPECTED),
  };
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
  return resolved;
}

/** @throws PubSubConfigurationError with every problem that was found */
export function checkWorkOptions(subject: string, options: unknown): void {
  const problems = new Problems();
  // Undefined is harmless here.
  const settings = new Settings(flattenOptions(options, WORK, problems), problems);
  settings.converted(
    'onProgress',
    (value) => (typeof value === 'function' ? value : undefined),
    'a function',
  );
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
}

function readSelection(which: unknown, problems: Problems): ResolvedSelection {
  if (Array.isArray(which)) return { ids: which.map((letter) => readId(letter, problems)) };
  if (typeof which !== 'object' || which === null) {
    problems.add('which', `${showValue(which)} is not a letter, several, a filter, or 'all'`);
    return { ids: [] };
  }
  if ('id' in which) return { ids: [readId(which, problems)] };
  if (Object.keys(which).length === 0) problems.add('which', "{} names none; 'all' are meant by 'all'");
  return { filter: readFilter(read(which, FILTER, problems)) };
}

function readId(letter: unknown, problems: Problems): string {
  const id = typeof letter === 'object' && letter !== null && 'id' in letter ? letter.id : undefined;
  const known = asEntryId(id);
  if (known === undefined) problems.add('id', `${showValue(id)} is not ${ID_EXPECTED}`);
  return known ?? '';
}

function readFilter(settings: Settings): DeadLetterFilter {
  const reason = settings.choice('reason', REASONS);
  // The settings take null for given, and undefined for wrong.
  const isForAll = settings.find('group')?.value === null;
  const group = isForAll ? null : settings.converted('group', asGroup, "a group's name, or null");
  return { ...(group !== undefined && { group }), ...(reason !== undefined && { reason }) };
}

/** A variable that happens to be undefined must not stand for all. */
function read(options: unknown, tree: OptionTree, problems: Problems): Settings {
  if (typeof options === 'object' && options !== null) {
    for (const [name, value] of Object.entries(options))
      if (value === undefined && name in tree)
        problems.add(name, 'is undefined; leave it out where any will do');
  }
  return new Settings(flattenOptions(options, tree, problems), problems);
}

function asGroup(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asEntryId(value: unknown): string | undefined {
  return typeof value === 'string' && isEntryId(value) ? value : undefined;
}
