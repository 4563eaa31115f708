import { Registry, type RegistryContentType } from 'prom-client';
import { checkPath } from '../../http/endpoint.js';
import { flattenOptions, Problems, Settings, toMilliseconds, type OptionTree } from '../../redis/shared.js';
import { MetricsConfigurationError } from './metrics-configuration-error.js';
import type { RedisMetricsBuckets, RedisMetricsRootOptions } from './metrics-options.js';

/** Complete and checked. Durations, and bounds of buckets, are milliseconds. */
export interface ResolvedMetricsOptions {
  readonly registry: Registry<RegistryContentType>;
  readonly prefix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: Readonly<Record<keyof RedisMetricsBuckets, readonly number[]>>;
  readonly defaultMetrics: boolean;
  readonly server: boolean;
  readonly cacheFor: number;
  readonly timeout: number;
}

const OPTIONS = {
  registry: true,
  prefix: true,
  labels: true,
  buckets: { commands: true, work: true } satisfies Record<keyof RedisMetricsBuckets, true>,
  defaultMetrics: true,
  server: true,
  cacheFor: true,
  timeout: true,
} as const satisfies OptionTree & Record<keyof RedisMetricsRootOptions, unknown>;

const BUCKETS: ResolvedMetricsOptions['buckets'] = {
  commands: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  work: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 600_000],
};

/** https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const METRIC_NAME = /^[a-zA-Z_:][\w:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_]\w*$/;

/** Labels of the metrics themselves. */
const TAKEN_LABELS = new Set(
  'connection command code role state cache tier outcome reason topic group delivery node source le'.split(
    ' ',
  ),
);

/**
 * @param path of the endpoint, which is given beside the options
 * @throws MetricsConfigurationError with every problem that was found
 */
export function resolveMetricsOptions(
  options: RedisMetricsRootOptions,
  path: unknown,
): ResolvedMetricsOptions {
  const problems = new Problems();
  checkPath(path, problems);
  const settings = new Settings(flattenOptions(options, OPTIONS, problems), problems);
  const resolved: ResolvedMetricsOptions = {
    registry: settings.converted('registry', asRegistry, 'a Registry of prom-client') ?? new Registry(),
    prefix: settings.converted('prefix', asPrefix, "the beginning of a metric's name") ?? 'rednest_',
    labels: settings.converted('labels', asLabels, LABELS_EXPECTED) ?? {},
    buckets: {
      commands: settings.converted('buckets.commands', asBounds, BOUNDS_EXPECTED) ?? BUCKETS.commands,
      work: settings.converted('buckets.work', asBounds, BOUNDS_EXPECTED) ?? BUCKETS.work,
    },
    defaultMetrics: settings.boolean('defaultMetrics') ?? false,
    server: settings.boolean('server') ?? true,
    cacheFor: settings.duration('cacheFor', { min: 0 }) ?? 5_000,
    timeout: settings.duration('timeout') ?? 1_000,
  };
  problems.throwAs((found) => new MetricsConfigurationError('RedisMetricsModule', found));
  return resolved;
}

const BOUNDS_EXPECTED = "a list of durations (1, '5ms', '10s'), each more than the one before";

function asBounds(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const bounds = value.map(toMilliseconds);
  const isRising = bounds.every(
    (bound, index) => bound !== undefined && bound > (index === 0 ? 0 : bounds[index - 1]!),
  );
  return isRising ? (bounds as number[]) : undefined;
}

const LABELS_EXPECTED =
  "an object of texts, by names of letters, digits and '_' that the metrics do not have themselves";

function asLabels(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const isRight = ([name, text]: [string, unknown]): boolean =>
    LABEL_NAME.test(name) && !TAKEN_LABELS.has(name) && typeof text === 'string';
  return entries.every(isRight) ? Object.fromEntries(entries) : undefined;
}

function asPrefix(value: unknown): string | undefined {
  return value === '' || (typeof value === 'string' && METRIC_NAME.test(value)) ? value : undefined;
}

/** By what it can: an application may have another copy of prom-client. */
function asRegistry(value: unknown): Registry<RegistryContentType> | undefined {
  const methods = ['registerMetric', 'removeSingleMetric', 'getSingleMetric', 'metrics'] as const;
  const isRegistry =
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
  return isRegistry ? (value as Registry<RegistryContentType>) : undefined;
}
