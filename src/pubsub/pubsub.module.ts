import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { RedisConnections } from '../redis/index.js';
import {
  CONNECTED_EXTRAS,
  connectedDefinition,
  connectedProvider,
  HOOK_DISTANCE,
  importedTwiceProblem,
  setDistance,
  type ConnectedExtras,
} from '../redis/shared.js';
import { HandlerDiscovery } from './bootstrap/handler-discovery.js';
import { BusEngine } from './bus-engine.js';
import { EventBus } from './event-bus.js';
import { PubSubConfigurationError } from './options/pubsub-configuration-error.js';
import type { PubSubRootOptions } from './options/pubsub-options.js';
import { resolveRootOptions } from './options/resolve-pubsub-options.js';

/** What `forRoot` and `forRootAsync` take beside the options of the event bus. */
export interface PubSubModuleExtras {
  /** Name of the Redis connection. @default 'default' */
  connection?: string;
  /** Whether all modules may inject `EventBus` without importing `PubSubModule`. @default true */
  isGlobal?: boolean;
}

/** Options of {@link PubSubModule.forRoot}. */
export type PubSubModuleOptions = PubSubRootOptions &
  PubSubModuleExtras & {
    /** The module of the connection, where it is not global. */
    imports?: NonNullable<ModuleMetadata['imports']>;
  };

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface PubSubOptionsFactory {
  createPubSubOptions(): PubSubRootOptions | Promise<PubSubRootOptions>;
}

/** Options of {@link PubSubModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options of the event bus. */
export type PubSubModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  PubSubRootOptions,
  'createPubSubOptions'
> &
  PubSubModuleExtras & {
    /** Providers that the factory needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

const { ConfigurableModuleClass: ConfigurablePubSubModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<PubSubRootOptions>({ moduleName: 'PubSub' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createPubSubOptions')
    .setExtras<ConnectedExtras>(CONNECTED_EXTRAS, completeDefinition)
    .build();

/**
 * Events between the parts of an application, and between its replicas. Wrong options fail the start with a
 * {@link PubSubConfigurationError} that lists every problem.
 *
 * Handlers with `@Subscribe` are given events when all modules are ready (after the last `onApplicationBootstrap`), and at shutdown no more
 * before any module is destroyed (before the first `onModuleDestroy`).
 *
 * @example
 * imports: [RedisModule.forRoot(), PubSubModule.forRoot({ namespace: 'atlas' })]
 */
@Module({})
export class PubSubModule
  extends ConfigurablePubSubModule
  implements OnApplicationBootstrap, OnModuleDestroy
{
  constructor(
    modules: ModulesContainer,
    private readonly bus: EventBus,
    private readonly handlers: HandlerDiscovery,
    private readonly connections: RedisConnections,
  ) {
    super();
    // Each would find all handlers of the application, and give them each event once more.
    const problem = importedTwiceProblem(modules, { metatype: PubSubModule, name: 'PubSubModule' });
    if (problem) throw new PubSubConfigurationError('PubSubModule', [problem]);
    setDistance(modules, PubSubModule, HOOK_DISTANCE.events);
  }

  static override forRoot(options: PubSubModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options that other providers give. `connection` and `isGlobal` are given beside them. */
  static override forRootAsync(options: PubSubModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      // A test may have put something else in the place of the bus: then no events come.
      await EventBus.engineOf(this.bus)?.begin(this.handlers.find());
    } catch (error) {
      // Nothing closes an application that did not start: its connections would keep the process alive.
      await this.connections.close().catch(() => undefined);
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await EventBus.engineOf(this.bus)?.end();
  }
}

function completeDefinition(definition: DynamicModule, extras: ConnectedExtras): DynamicModule {
  return connectedDefinition(definition, extras, {
    imports: [DiscoveryModule],
    providers: (connection) => [HandlerDiscovery, busProvider(connection)],
    exports: [EventBus],
  });
}

function busProvider(connection: string): Provider {
  return connectedProvider<PubSubRootOptions>({
    provide: EventBus,
    module: 'PubSubModule',
    connection,
    options: MODULE_OPTIONS_TOKEN,
    make: (its, options) => {
      const engine = new BusEngine(its, resolveRootOptions(options));
      return { user: engine, service: new EventBus(engine) };
    },
    errorOf: (problem) => new PubSubConfigurationError('PubSubModule', [problem]),
  });
}
