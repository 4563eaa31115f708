import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { featureServices } from '../discovery/feature-services.js';
import { RedisConnections } from '../redis/index.js';
import {
  CONNECTED_EXTRAS,
  connectedDefinition,
  importedTwiceProblem,
  type ConnectedExtras,
} from '../redis/shared.js';
import { createMetricsController, type MetricsEndpointOptions } from './metrics.controller.js';
import { MetricsCollector } from './metrics-collector.js';
import { MetricsConfigurationError } from './options/metrics-configuration-error.js';
import type { MetricsRootOptions } from './options/metrics-options.js';
import { resolveMetricsOptions } from './options/resolve-metrics-options.js';
import { RedisMetrics } from './redis-metrics.js';

/** What `forRoot` and `forRootAsync` take beside the options of the metrics. */
export interface MetricsModuleExtras extends MetricsEndpointOptions {
  /** Where they are served; false for not at all, as where `registry` is served elsewhere. A global prefix comes before it. @default '/metrics' */
  path?: string | false;
  /** Whether all modules may inject `RedisMetrics` without importing `RedisMetricsModule`. @default true */
  isGlobal?: boolean;
  /** Modules whose providers the guards, or the factory of the options, need. */
  imports?: NonNullable<ModuleMetadata['imports']>;
}

/** Options of {@link RedisMetricsModule.forRoot}. */
export type MetricsModuleOptions = MetricsRootOptions & MetricsModuleExtras;

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface MetricsOptionsFactory {
  createMetricsOptions(): MetricsRootOptions | Promise<MetricsRootOptions>;
}

/** Options of {@link RedisMetricsModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options. */
export type MetricsModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  MetricsRootOptions,
  'createMetricsOptions'
> &
  MetricsModuleExtras & {
    /** Providers that the factory, or a guard, needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

type Extras = Omit<ConnectedExtras, 'connection'> & MetricsModuleExtras;

/** Of no connection: all that the application has are measured. */
const { connection: _, ...COMMON_EXTRAS } = CONNECTED_EXTRAS;

const DEFAULT_PATH = '/metrics';

const { ConfigurableModuleClass: ConfigurableMetricsModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<MetricsRootOptions>({ moduleName: 'RedisMetrics' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createMetricsOptions')
    .setExtras<Extras>(
      { ...COMMON_EXTRAS, path: DEFAULT_PATH, guards: [], decorators: [] },
      completeDefinition,
    )
    .build();

/**
 * Prometheus metrics of an application's connections, of the modules of rednest that it has, and of its servers, in a registry of their own
 * (or in one that is given) and at `GET /metrics`. Wrong options fail the start with a {@link MetricsConfigurationError}.
 *
 * What rednest counts anyway is read at a scrape, and costs nothing until then. What is not counted (how long something took, and what
 * happens to events by topic) comes by `node:diagnostics_channel`, which is free where this module is not imported.
 *
 * @example
 * imports: [RedisModule.forRoot(), CacheModule.forRoot(), RedisMetricsModule.forRoot({ guards: [ScraperGuard] })]
 */
@Module({})
export class RedisMetricsModule extends ConfigurableMetricsModule {
  constructor(modules: ModulesContainer) {
    super();
    const problem = importedTwiceProblem(modules, {
      metatype: RedisMetricsModule,
      name: 'RedisMetricsModule',
    });
    if (problem) throw new MetricsConfigurationError([problem]);
  }

  static override forRoot(options: MetricsModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * As {@link forRoot}, with options that other providers give. `path`, `guards`, `decorators` and `isGlobal` are given beside them.
   *
   * @example
   * RedisMetricsModule.forRootAsync({ path: false, inject: [METRICS_REGISTRY], useFactory: (registry: Registry) => ({ registry }) })
   */
  static override forRootAsync(options: MetricsModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function completeDefinition(definition: DynamicModule, extras: Extras): DynamicModule {
  const { path = DEFAULT_PATH, guards = [], decorators = [] } = extras;
  const completed = connectedDefinition(definition, extras, {
    providers: () => [metricsProvider(path)],
    exports: [RedisMetrics],
  });
  // What is neither a path nor false is reported with the other options.
  const isServed = typeof path === 'string' && path !== '';
  return {
    ...completed,
    controllers: isServed ? [createMetricsController(path, { guards, decorators })] : [],
  };
}

function metricsProvider(path: string | false): Provider {
  return {
    provide: RedisMetrics,
    inject: [MODULE_OPTIONS_TOKEN, RedisConnections, ModuleRef],
    useFactory: (options: MetricsRootOptions, connections: RedisConnections, modules: ModuleRef) => {
      const resolved = resolveMetricsOptions({ ...options, path });
      const collector = new MetricsCollector(connections, resolved, () => featureServices(modules));
      connections.attach(collector);
      return new RedisMetrics(collector);
    },
  };
}
