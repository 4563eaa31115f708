import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type Provider,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { featureServices } from '../discovery/feature-services.js';
import { controllersOf, type EndpointOptions } from '../http/endpoint.js';
import { RedisConnections } from '../redis/index.js';
import {
  APPLICATION_EXTRAS,
  connectedDefinition,
  importedTwiceProblem,
  type ApplicationExtras,
} from '../redis/shared.js';
import { metricsController } from './http/metrics-controller.js';
import { MetricsCollector } from './metrics-collector.js';
import { MetricsConfigurationError } from './options/metrics-configuration-error.js';
import type { RedisMetricsRootOptions } from './options/metrics-options.js';
import { resolveMetricsOptions } from './options/resolve-metrics-options.js';
import { RedisMetrics } from './redis-metrics.js';

/** What `forRoot` and `forRootAsync` take beside the options of the metrics. */
export interface RedisMetricsModuleExtras extends EndpointOptions, ApplicationExtras {
  /** False for no endpoint, as where the registry is served elsewhere; the global prefix of the application comes before it. @default '/metrics' */
  path?: string | string[] | false;
}

/** Options of {@link RedisMetricsModule.forRoot}. */
export type RedisMetricsModuleOptions = RedisMetricsRootOptions & RedisMetricsModuleExtras;

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface RedisMetricsOptionsFactory {
  createRedisMetricsOptions(): RedisMetricsRootOptions | Promise<RedisMetricsRootOptions>;
}

/** Options of {@link RedisMetricsModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options. */
export type RedisMetricsModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  RedisMetricsRootOptions,
  'createRedisMetricsOptions'
> &
  RedisMetricsModuleExtras;

/** Of no connection: all that the application has are measured. */
type Extras = ApplicationExtras & EndpointOptions;

const ENDPOINT: Required<EndpointOptions> = { path: '/metrics', guards: [], decorators: [] };

const { ConfigurableModuleClass: ConfigurableMetricsModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<RedisMetricsRootOptions>({ moduleName: 'RedisMetrics' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisMetricsOptions')
    .setExtras<Extras>({ ...APPLICATION_EXTRAS, ...ENDPOINT }, completeDefinition)
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
    if (problem) throw new MetricsConfigurationError('RedisMetricsModule', [problem]);
  }

  static override forRoot(options: RedisMetricsModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * As {@link forRoot}, with options that other providers give. Those of {@link RedisMetricsModuleExtras} are given beside them: a factory's are too late for routes.
   *
   * @example
   * RedisMetricsModule.forRootAsync({ path: false, inject: [METRICS_REGISTRY], useFactory: (registry: Registry) => ({ registry }) })
   */
  static override forRootAsync(options: RedisMetricsModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function completeDefinition(definition: DynamicModule, extras: Extras): DynamicModule {
  const { path = ENDPOINT.path } = extras;
  const completed = connectedDefinition(definition, extras, {
    providers: () => [metricsProvider(path)],
    exports: [RedisMetrics],
  });
  return { ...completed, controllers: controllersOf({ ...extras, path }, metricsController) };
}

function metricsProvider(path: EndpointOptions['path']): Provider {
  return {
    provide: RedisMetrics,
    inject: [MODULE_OPTIONS_TOKEN, RedisConnections, ModuleRef],
    useFactory: (options: RedisMetricsRootOptions, connections: RedisConnections, modules: ModuleRef) => {
      const resolved = resolveMetricsOptions(options, path);
      const collector = new MetricsCollector(connections, resolved, () => featureServices(modules));
      connections.attach(collector);
      return new RedisMetrics(collector);
    },
  };
}
