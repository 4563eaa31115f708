import { flattenOptions, Settings, type OptionTree, type Problems } from '../../redis/shared.js';
import type {
  CacheOptions,
  CacheRootOptions,
  CompressionOptions,
  EntryOptions,
  FactoryOptions,
  LocalOptions,
  NegativeCachingOptions,
} from './cache-options.js';

type Names<T> = Record<keyof T, true>;

export const ENTRY_OPTIONS = { ttl: true, stale: true, jitter: true } satisfies Names<EntryOptions>;

const FACTORY_OPTIONS = {
  softTimeout: true,
  hardTimeout: true,
  earlyRefresh: true,
  errors: { ttl: true, when: true } satisfies Names<NegativeCachingOptions>,
} as const satisfies Record<keyof FactoryOptions, unknown>;

/** The options of an entry and of how it is made, which every call may give. */
export const CALL_OPTIONS = { ...ENTRY_OPTIONS, ...FACTORY_OPTIONS } as const satisfies OptionTree;

/** The options of one cache. */
export const CACHE_OPTIONS = {
  ...CALL_OPTIONS,
  lease: true,
  refreshRetry: true,
  local: { maxEntries: true, maxBytes: true, maxAge: true, values: true } satisfies Names<LocalOptions>,
  codec: true,
  compression: { algorithm: true, threshold: true } satisfies Names<CompressionOptions>,
  encrypt: true,
  maxValueSize: true,
  oversize: true,
} as const satisfies OptionTree & Record<keyof CacheOptions, unknown>;

/** The options that all caches of an application share. */
export const SHARED_OPTIONS = {
  namespace: true,
  coherence: true,
  budget: true,
  breakerFailures: true,
  breakerRetry: true,
  batchSize: true,
  pendingInvalidations: true,
} as const satisfies Names<Omit<CacheRootOptions, keyof CacheOptions>>;

/** The options of `forRoot`. */
export const ROOT_OPTIONS = { ...CACHE_OPTIONS, ...SHARED_OPTIONS } as const;

export const COMPRESSION_ALGORITHMS = ['gzip', 'brotli', 'zstd'] as const;

const isFalse = (value: unknown): boolean => value === false;

const SHORTHANDS = {
  errors: { accepts: isFalse, expected: 'false' },
  local: { accepts: isFalse, expected: 'false' },
  compression: {
    accepts: (value: unknown) =>
      value === false || COMPRESSION_ALGORITHMS.some((algorithm) => algorithm === value),
    expected: "'gzip', 'brotli', 'zstd', false",
  },
};

/** The options given, by their paths. What the tree does not know is reported. */
export function readCacheOptions(options: unknown, tree: OptionTree, problems: Problems): Settings {
  return new Settings(flattenOptions(options, tree, problems, { shorthands: SHORTHANDS }), problems);
}

/** The most that an entry's ages may be, in milliseconds: a hundred years, far from what Redis takes. */
export const LONGEST_AGE = 100 * 365 * 86_400_000;

/** A duration that nobody waits for with a timer, such as how long an entry lives. */
export function age(settings: Settings, path: string, rule: { min?: 0 } = {}): number | undefined {
  return settings.duration(path, { ...rule, max: LONGEST_AGE });
}

/** A number that need not be whole. */
export function numberWithin(
  settings: Settings,
  path: string,
  { max = Infinity, expected }: { max?: number; expected: string },
): number | undefined {
  const convert = (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= max ? value : undefined;
  return settings.converted(path, convert, expected);
}
