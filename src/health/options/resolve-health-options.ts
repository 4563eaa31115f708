import type { Type } from '@nestjs/common';
import { checkPath } from '../../http/endpoint.js';
import { DEFAULT_CONNECTION } from '../../redis/index.js';
import { flattenOptions, NestedProblems, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import { BUILT_IN, CONNECTION_OPTIONS, resolveConnection, SHORTHANDS } from './connection-settings.js';
import { HealthConfigurationError } from './health-configuration-error.js';
import type {
  IndicatorFunction,
  ReadinessIndicator,
  RedisHealthOptions,
  RedisHealthRootOptions,
} from './health-options.js';
import type {
  ResolvedCheckOptions,
  ResolvedConnectionHealthOptions,
  ResolvedHealthOptions,
} from './resolved-health-options.js';

const ROOT_OPTIONS = {
  ...CONNECTION_OPTIONS,
  connections: true,
  required: true,
  cacheFor: true,
  details: true,
  events: { maxLag: true },
  indicators: true,
  shutdownDelay: true,
} as const satisfies OptionTree & Record<keyof RedisHealthRootOptions, unknown>;

const CHECK_OPTIONS = {
  ...CONNECTION_OPTIONS,
  connection: true,
  required: true,
} as const satisfies OptionTree & Record<keyof RedisHealthOptions, unknown>;

type Indicator = IndicatorFunction | Type<ReadinessIndicator>;

/**
 * @param path of the endpoints, which is given beside the options
 * @throws HealthConfigurationError with every problem that was found
 */
export function resolveRootOptions(options: RedisHealthRootOptions, path: unknown): ResolvedHealthOptions {
  const problems = new Problems();
  checkPath(path, problems);
  const settings = read(options, ROOT_OPTIONS, problems);
  const defaults = resolveConnection(settings, BUILT_IN);
  const resolved: ResolvedHealthOptions = {
    defaults,
    connections: resolveConnections(settings, problems, defaults),
    required: settings.converted('required', asNames, 'a list of names of connections'),
    cacheFor: settings.duration('cacheFor', { min: 0 }) ?? 1_000,
    details: settings.boolean('details') ?? true,
    events: resolveEvents(settings),
    indicators:
      settings.converted('indicators', asIndicators, 'a list of functions, or classes with check()') ?? [],
    shutdownDelay: settings.duration('shutdownDelay', { min: 0 }) ?? 0,
  };
  for (const name of resolved.required ?? []) {
    const isLeftOut = resolved.connections.has(name) && !resolved.connections.get(name);
    if (isLeftOut) problems.add('required', `'${name}' is left out by connections.${name}: false`);
  }
  problems.throwAs((found) => new HealthConfigurationError('RedisHealthModule', found));
  return resolved;
}

/**
 * Of {@link RedisHealthIndicator.check}.
 *
 * @throws HealthConfigurationError with every problem that was found
 */
export function resolveCheckOptions(key: string, options: RedisHealthOptions): ResolvedCheckOptions {
  const problems = new Problems();
  const settings = read(options, CHECK_OPTIONS, problems);
  resolveConnection(settings, BUILT_IN);
  const resolved: ResolvedCheckOptions = {
    connection: settings.text('connection') ?? DEFAULT_CONNECTION,
    required: settings.boolean('required') ?? true,
    complete: (defaults) => resolveConnection(settings, defaults),
  };
  problems.throwAs((found) => new HealthConfigurationError(`The health check '${key}'`, found));
  return resolved;
}

function read(options: unknown, tree: OptionTree, problems: Problems): Settings {
  return new Settings(flattenOptions(options, tree, problems, { shorthands: SHORTHANDS }), problems);
}

function resolveConnections(
  settings: Settings,
  problems: Problems,
  defaults: ResolvedConnectionHealthOptions,
): Map<string, ResolvedConnectionHealthOptions | undefined> {
  const given = settings.converted(
    'connections',
    asRecord,
    'an object of options by the name of the connection',
  );
  const resolved = new Map<string, ResolvedConnectionHealthOptions | undefined>();
  for (const [name, options] of Object.entries(given ?? {})) {
    if (options === undefined) continue;
    const nested = new NestedProblems(problems, `connections.${name}`);
    const own = options === false ? undefined : read(options, CONNECTION_OPTIONS, nested);
    resolved.set(name, own && resolveConnection(own, defaults));
  }
  return resolved;
}

function resolveEvents(settings: Settings): ResolvedHealthOptions['events'] {
  if (settings.find('events')?.value === false) return undefined;
  const maxLag = settings.integer('events.maxLag', { min: 0, expected: 'a number of events' });
  return { maxLag: maxLag ?? Infinity };
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Record<string, unknown>;
}

function asNames(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : undefined;
}

function asIndicators(value: unknown): Indicator[] | undefined {
  const areFunctions = Array.isArray(value) && value.every((each) => typeof each === 'function');
  return areFunctions ? (value as Indicator[]) : undefined;
}
