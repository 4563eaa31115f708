import { BYTE_SIZE_EXPECTED, Problems, toBytes, type Settings } from '../../redis/shared.js';
import { CacheConfigurationError } from './cache-configuration-error.js';
import { CACHE_OPTIONS, readCacheOptions, ROOT_OPTIONS, SHARED_OPTIONS, age } from './cache-option-tree.js';
import type { CacheOptions, CacheRootOptions } from './cache-options.js';
import { resolveCallOptions } from './resolve-call-options.js';
import { resolveCodec, resolveCompression } from './resolve-codec.js';
import type { ResolvedBackendOptions, ResolvedCacheOptions } from './resolved-cache-options.js';

/** What a local tier may hold at most: it allots its index in advance. */
const MOST_LOCAL_ENTRIES = 16_777_216;

/**
 * Completes and checks the options of `forRoot`: what all caches share, and the cache of that name.
 *
 * @throws CacheConfigurationError with every problem that was found
 */
export function resolveRootOptions(
  name: string,
  options: CacheRootOptions,
): { backend: ResolvedBackendOptions; cache: ResolvedCacheOptions } {
  const problems = new Problems();
  const settings = readCacheOptions(options, ROOT_OPTIONS, problems);
  const backend = resolveShared(settings, problems);
  const cache = resolveCache(name, settings, problems);
  problems.throwAs((found) => new CacheConfigurationError(`Cache '${name}'`, found));
  return { backend, cache };
}

/**
 * Completes and checks the options of a named cache. What they leave out is as for the whole application; of `local`, each setting
 * counts by itself.
 *
 * @throws CacheConfigurationError with every problem that was found
 */
export function resolveNamedOptions(
  name: string,
  options: CacheOptions,
  root: CacheRootOptions,
): ResolvedCacheOptions {
  const problems = new Problems();
  reportShared(options, problems);
  const all: unknown = isObject(options) ? inherit(without(root), without(options)) : options;
  const settings = readCacheOptions(all, CACHE_OPTIONS, problems);
  const cache = resolveCache(name, settings, problems);
  problems.throwAs((found) => new CacheConfigurationError(`Cache '${name}'`, found));
  return cache;
}

function reportShared(options: CacheOptions, problems: Problems): void {
  for (const name of Object.keys(options ?? {}).filter((option) => Object.hasOwn(SHARED_OPTIONS, option)))
    problems.add(name, 'is shared by all caches; give it to CacheModule.forRoot');
}

/** The options that are given, without those that all caches share. */
function without<T extends object>(options: T): Partial<T> {
  const isOwn = ([name, value]: [string, unknown]): boolean =>
    value !== undefined && !Object.hasOwn(SHARED_OPTIONS, name);
  return Object.fromEntries(Object.entries(options).filter(isOwn)) as Partial<T>;
}

function inherit(root: CacheOptions, own: CacheOptions): CacheOptions {
  const local = isObject(root.local) && isObject(own.local) && { ...root.local, ...own.local };
  return { ...root, ...own, ...(local && { local }) };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resolveCache(name: string, settings: Settings, problems: Problems): ResolvedCacheOptions {
  return {
    name,
    ...resolveCallOptions(settings, problems),
    lease: settings.duration('lease') ?? 3_000,
    refreshRetry: settings.duration('refreshRetry', { min: 0 }) ?? 1_000,
    local: resolveLocal(settings),
    codec: resolveCodec(settings, problems),
    compression: resolveCompression(settings, problems),
    encrypt: settings.boolean('encrypt') ?? false,
    maxValueSize: byteSize(settings, 'maxValueSize') ?? 8 * 1_024 * 1_024,
    oversize: settings.choice('oversize', ['skip', 'throw']) ?? 'skip',
  };
}

function resolveLocal(settings: Settings): ResolvedCacheOptions['local'] {
  if (settings.find('local')?.value === false) return undefined;
  const entries = {
    min: 1,
    max: MOST_LOCAL_ENTRIES,
    expected: `a number of entries (an integer of 1 to ${MOST_LOCAL_ENTRIES}); local: false for none`,
  };
  return {
    maxEntries: settings.integer('local.maxEntries', entries) ?? 10_000,
    maxBytes: byteSize(settings, 'local.maxBytes') ?? 64 * 1_024 * 1_024,
    maxAge: age(settings, 'local.maxAge'),
    values: settings.choice('local.values', ['shared', 'cloned', 'frozen']) ?? 'shared',
  };
}

function resolveShared(settings: Settings, problems: Problems): ResolvedBackendOptions {
  const count = (min: number, max?: number) => ({
    min,
    expected: `an integer of ${max === undefined ? `${min} or more` : `${min} to ${max}`}`,
    ...(max !== undefined && { max }),
  });
  return {
    namespace: resolveNamespace(settings, problems),
    coherence: settings.choice('coherence', ['tracking', 'pubsub', 'none']),
    budget: settings.duration('budget') ?? 50,
    breakerFailures: settings.integer('breakerFailures', count(1)) ?? 3,
    breakerRetry: settings.duration('breakerRetry') ?? 250,
    batchSize: settings.integer('batchSize', count(1, 100_000)) ?? 500,
    pendingInvalidations: settings.integer('pendingInvalidations', count(1)) ?? 10_000,
  };
}

function resolveNamespace(settings: Settings, problems: Problems): string {
  if (!settings.has('namespace'))
    problems.add('namespace', "is missing: the first part of every key, such as 'atlas'");
  return settings.namespace('namespace') ?? '';
}

function byteSize(settings: Settings, path: string): number | undefined {
  const convert = (value: unknown): number | undefined => toBytes(value) || undefined;
  return settings.converted(path, convert, `${BYTE_SIZE_EXPECTED}, more than 0`);
}
