import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type CanActivate,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type OnModuleDestroy,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { RedisConnections } from '../redis/index.js';
import {
  CONNECTED_EXTRAS,
  connectedDefinition,
  importedTwiceProblem,
  type ConnectedExtras,
} from '../redis/shared.js';
import { ConnectionHealthChecks } from './connection/connection-health-checks.js';
import { FeatureHealth } from './features/feature-health.js';
import { healthController } from './http/health-controller.js';
import { HealthConfigurationError } from './options/health-configuration-error.js';
import type { RedisHealthRootOptions } from './options/health-options.js';
import { resolveRootOptions } from './options/resolve-health-options.js';
import type { ResolvedHealthOptions } from './options/resolved-health-options.js';
import { Readiness } from './readiness/readiness.js';
import { Startup } from './readiness/startup.js';
import { RedisHealthIndicator } from './redis-health.indicator.js';

/** What `forRoot` and `forRootAsync` take beside the options of the checks. */
export interface RedisHealthModuleExtras {
  /** Before `live`, `ready` and `startup`; the global prefix of the application comes before it. @default 'health' */
  path?: string | string[];
  /** Whether there are routes for probes; false for an application that uses {@link RedisHealthIndicator} in a controller of its own. @default true */
  controller?: boolean;
  /** Guards of the probes. @default none */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** Decorators for the controller of the probes, such as an application's `Public()`, which its global guard knows. @default none */
  decorators?: ClassDecorator[];
  /** Whether all modules may inject {@link RedisHealthIndicator} without importing `RedisHealthModule`. @default true */
  isGlobal?: boolean;
}

type Extras = Omit<ConnectedExtras, 'connection'> &
  Pick<RedisHealthModuleExtras, 'path' | 'controller' | 'guards' | 'decorators'>;

/** Options of {@link RedisHealthModule.forRoot}. */
export type RedisHealthModuleOptions = RedisHealthRootOptions &
  RedisHealthModuleExtras & {
    /** Modules whose providers the guards need. */
    imports?: NonNullable<ModuleMetadata['imports']>;
  };

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface RedisHealthOptionsFactory {
  createRedisHealthOptions(): RedisHealthRootOptions | Promise<RedisHealthRootOptions>;
}

/** Options of {@link RedisHealthModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options of the checks. */
export type RedisHealthModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  RedisHealthRootOptions,
  'createRedisHealthOptions'
> &
  RedisHealthModuleExtras & {
    /** Providers that the factory needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

const { connection: _, ...CONTAINER_EXTRAS } = CONNECTED_EXTRAS;

const { ConfigurableModuleClass: ConfigurableRedisHealthModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<RedisHealthRootOptions>({ moduleName: 'RedisHealth' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisHealthOptions')
    .setExtras<Extras>(
      { ...CONTAINER_EXTRAS, path: 'health', controller: true, guards: [], decorators: [] },
      completeDefinition,
    )
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
export class RedisHealthModule
  extends ConfigurableRedisHealthModule
  implements OnModuleDestroy, BeforeApplicationShutdown
{
  readonly #readiness: Readiness;
  readonly #shutdownDelay: number;

  constructor(
    modules: ModulesContainer,
    readiness: Readiness,
    @Inject(RESOLVED_OPTIONS) { shutdownDelay }: ResolvedHealthOptions,
  ) {
    super();
    const problem = importedTwiceProblem(modules, { metatype: RedisHealthModule, name: 'RedisHealthModule' });
    if (problem) throw new HealthConfigurationError('RedisHealthModule', [problem]);
    this.#readiness = readiness;
    this.#shutdownDelay = shutdownDelay;
  }

  static override forRoot(options: RedisHealthModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options that other providers give. Those of {@link RedisHealthModuleExtras} are given beside them. */
  static override forRootAsync(options: RedisHealthModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }

  onModuleDestroy(): void {
    this.#readiness.shutDown();
  }

  /** The HTTP server is closed afterwards. Without a signal, nobody sends requests by what the probe has answered. */
  async beforeApplicationShutdown(signal?: string): Promise<void> {
    if (signal === 'SIGTERM' && this.#shutdownDelay > 0) await sleep(this.#shutdownDelay);
  }
}

function completeDefinition(definition: DynamicModule, extras: Extras): DynamicModule {
  const { path = 'health', controller = true, guards = [], decorators = [], ...others } = extras;
  const completed = connectedDefinition(definition, others, {
    // A probe that fails would be an error in the log each time.
    imports: [TerminusModule.forRoot({ logger: false })],
    providers: () => PROVIDERS,
    exports: [RedisHealthIndicator],
  });
  return controller
    ? { ...completed, controllers: [healthController({ path, guards, decorators })] }
    : completed;
}

const PROVIDERS: Provider[] = [
  RedisHealthIndicator,
  { provide: RESOLVED_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: resolveRootOptions },
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
    provide: Readiness,
    inject: [
      RESOLVED_OPTIONS,
      ConnectionHealthChecks,
      FeatureHealth,
      ModuleRef,
      HealthCheckService,
      HealthIndicatorService,
    ],
    useFactory: (
      options: ResolvedHealthOptions,
      checks: ConnectionHealthChecks,
      features: FeatureHealth,
      modules: ModuleRef,
      health: HealthCheckService,
      indicators: HealthIndicatorService,
    ) => new Readiness({ options, checks, features, modules, health, indicators }),
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
