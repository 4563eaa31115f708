import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { controllersOf, type EndpointOptions } from '../http/endpoint.js';
import { RedisConnections } from '../redis/index.js';
import {
  APPLICATION_EXTRAS,
  connectedDefinition,
  HOOK_DISTANCE,
  importedTwiceProblem,
  setDistance,
  type ApplicationExtras,
} from '../redis/shared.js';
import { ConnectionHealthChecks } from './connection/connection-health-checks.js';
import { FeatureHealth } from './features/feature-health.js';
import { healthController } from './http/health-controller.js';
import { HealthConfigurationError } from './options/health-configuration-error.js';
import type { RedisHealthRootOptions } from './options/health-options.js';
import { resolveRootOptions } from './options/resolve-health-options.js';
import type { ResolvedHealthOptions } from './options/resolved-health-options.js';
import { ApplicationIndicators } from './readiness/application-indicators.js';
import { Readiness } from './readiness/readiness.js';
import { Startup } from './readiness/startup.js';
import { RedisHealthIndicator } from './redis-health.indicator.js';

/** What `forRoot` and `forRootAsync` take beside the options of the checks. */
export interface RedisHealthModuleExtras extends EndpointOptions, ApplicationExtras {
  /**
   * Before `live`, `ready` and `startup`; the global prefix of the application comes before it. False for no routes, as for an application that
   * uses {@link RedisHealthIndicator} in a controller of its own. @default 'health'
   */
  path?: string | string[] | false;
}

/** Options of {@link RedisHealthModule.forRoot}. */
export type RedisHealthModuleOptions = RedisHealthRootOptions & RedisHealthModuleExtras;

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface RedisHealthOptionsFactory {
  createRedisHealthOptions(): RedisHealthRootOptions | Promise<RedisHealthRootOptions>;
}

/** Options of {@link RedisHealthModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options of the checks. */
export type RedisHealthModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  RedisHealthRootOptions,
  'createRedisHealthOptions'
> &
  RedisHealthModuleExtras;

type Extras = ApplicationExtras & EndpointOptions;

/** What is missing here is taken for an option of the checks. */
const EXTRAS: Required<Extras> = { ...APPLICATION_EXTRAS, path: 'health', guards: [], decorators: [] };

const { ConfigurableModuleClass: ConfigurableRedisHealthModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<RedisHealthRootOptions>({ moduleName: 'RedisHealth' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisHealthOptions')
    .setExtras<Extras>(EXTRAS, completeDefinition)
    .build();

const RESOLVED_OPTIONS = Symbol('rednest: resolved health options');

/**
 * `GET /health/live`, `/health/ready` and `/health/startup`, for the probes of Kubernetes and of load balancers. Wrong options fail the start
 * with a {@link HealthConfigurationError} that lists every problem.
 *
 * - `live` answers 200 while the process serves, and never asks Redis.
 * - `ready` answers 503 while a required connection is down, within `timeout`; 200 where something is degraded.
 * - `startup` answers 503 until each required connection has been ready once, and 200 from then on.
 *
 * @example
 * imports: [RedisModule.forRoot(), RedisHealthModule.forRoot({ required: [], shutdownDelay: '5s' })]
 */
@Module({})
export class RedisHealthModule extends ConfigurableRedisHealthModule implements OnModuleDestroy {
  readonly #readiness: Readiness;
  readonly #host: HttpAdapterHost;
  readonly #shutdownDelay: number;

  constructor(
    modules: ModulesContainer,
    readiness: Readiness,
    host: HttpAdapterHost,
    @Inject(RESOLVED_OPTIONS) { shutdownDelay }: ResolvedHealthOptions,
  ) {
    super();
    const problem = importedTwiceProblem(modules, { metatype: RedisHealthModule, name: 'RedisHealthModule' });
    if (problem) throw new HealthConfigurationError('RedisHealthModule', [problem]);
    // The probes say that the application shuts down while everything is still there, the handlers of events too.
    setDistance(modules, RedisHealthModule, HOOK_DISTANCE.probes);
    this.#readiness = readiness;
    this.#host = host;
    this.#shutdownDelay = shutdownDelay;
  }

  static override forRoot(options: RedisHealthModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options that other providers give. Those of {@link RedisHealthModuleExtras} are given beside them. */
  static override forRootAsync(options: RedisHealthModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }

  /** The first of all: nothing is destroyed before it is done. Without an HTTP server nobody sends requests by what a probe has answered. */
  async onModuleDestroy(): Promise<void> {
    this.#readiness.shutDown();
    if (this.#host.listening && this.#shutdownDelay > 0) await sleep(this.#shutdownDelay);
  }
}

function completeDefinition(definition: DynamicModule, extras: Extras): DynamicModule {
  // Nest gives the defaults for what is missing, and not for what is undefined.
  const { path = EXTRAS.path, ...others } = extras;
  const completed = connectedDefinition(definition, extras, {
    // A probe that fails would be an error in the log each time.
    imports: [TerminusModule.forRoot({ logger: false })],
    providers: () => [optionsProvider(path), ...PROVIDERS],
    exports: [RedisHealthIndicator],
  });
  return { ...completed, controllers: controllersOf({ ...others, path }, healthController) };
}

function optionsProvider(path: EndpointOptions['path']): Provider {
  return {
    provide: RESOLVED_OPTIONS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: RedisHealthRootOptions) => resolveRootOptions(options, path),
  };
}

const PROVIDERS: Provider[] = [
  RedisHealthIndicator,
  {
    provide: ConnectionHealthChecks,
    inject: [RedisConnections, RESOLVED_OPTIONS],
    useFactory: (connections: RedisConnections, options: ResolvedHealthOptions) => {
      const checks = new ConnectionHealthChecks(connections, options);
      connections.attach(checks);
      return checks;
    },
  },
  {
    provide: FeatureHealth,
    inject: [ModuleRef, RESOLVED_OPTIONS],
    useFactory: (modules: ModuleRef, options: ResolvedHealthOptions) => new FeatureHealth(modules, options),
  },
  {
    provide: ApplicationIndicators,
    inject: [RedisConnections, ModuleRef, RESOLVED_OPTIONS],
    useFactory: (connections: RedisConnections, modules: ModuleRef, options: ResolvedHealthOptions) => {
      const indicators = new ApplicationIndicators(modules, options);
      connections.attach(indicators);
      return indicators;
    },
  },
  {
    provide: Readiness,
    inject: [
      RESOLVED_OPTIONS,
      ConnectionHealthChecks,
      FeatureHealth,
      ApplicationIndicators,
      HealthCheckService,
      HealthIndicatorService,
    ],
    useFactory: (
      options: ResolvedHealthOptions,
      checks: ConnectionHealthChecks,
      features: FeatureHealth,
      own: ApplicationIndicators,
      health: HealthCheckService,
      indicators: HealthIndicatorService,
    ) => new Readiness({ options, checks, features, own, health, indicators }),
  },
  {
    provide: Startup,
    inject: [ConnectionHealthChecks, HealthCheckService, HealthIndicatorService],
    useFactory: (
      checks: ConnectionHealthChecks,
      health: HealthCheckService,
      indicators: HealthIndicatorService,
    ) => new Startup(checks, health, indicators),
  },
];
