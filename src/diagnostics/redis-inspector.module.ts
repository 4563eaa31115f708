import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import {
  CONNECTED_EXTRAS,
  connectedDefinition,
  connectedProvider,
  type ConnectedExtras,
} from '../redis/shared.js';
import { InspectionConfigurationError } from './options/inspection-configuration-error.js';
import type { RedisInspectorOptions } from './options/inspector-options.js';
import { getRedisInspectorToken } from './inspector-tokens.js';
import { RedisInspector } from './redis-inspector.js';
import { resolveInspectorOptions } from './options/resolve-inspector-options.js';

/** What `forRoot` and `forRootAsync` take beside the options of the inspector. */
export interface RedisInspectorModuleExtras {
  /** Name of the Redis connection. @default 'default' */
  connection?: string;
  /** Whether all modules may inject the inspector without importing `RedisInspectorModule`. @default true */
  isGlobal?: boolean;
}

/** Options of {@link RedisInspectorModule.forRoot}. */
export type RedisInspectorModuleOptions = RedisInspectorOptions &
  RedisInspectorModuleExtras & {
    /** The module of the connection, where it is not global. */
    imports?: NonNullable<ModuleMetadata['imports']>;
  };

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface RedisInspectorOptionsFactory {
  createRedisInspectorOptions(): RedisInspectorOptions | Promise<RedisInspectorOptions>;
}

/** Options of {@link RedisInspectorModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options of the inspector. */
export type RedisInspectorModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  RedisInspectorOptions,
  'createRedisInspectorOptions'
> &
  RedisInspectorModuleExtras & {
    /** Providers that the factory needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

const { ConfigurableModuleClass: ConfigurableInspectorModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<RedisInspectorOptions>({ moduleName: 'RedisInspector' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisInspectorOptions')
    .setExtras<ConnectedExtras>(CONNECTED_EXTRAS, completeDefinition)
    .build();

/**
 * Gives out the {@link RedisInspector} of a connection; imported once for each connection that is to have one. Wrong options fail the start
 * with an {@link InspectionConfigurationError} that lists every problem.
 *
 * @example
 * imports: [RedisModule.forRoot(), RedisInspectorModule.forRoot()]
 */
@Module({})
export class RedisInspectorModule extends ConfigurableInspectorModule {
  static override forRoot(options: RedisInspectorModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options that other providers give. `connection` and `isGlobal` are given beside them. */
  static override forRootAsync(options: RedisInspectorModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function completeDefinition(definition: DynamicModule, extras: ConnectedExtras): DynamicModule {
  const { connection } = extras;
  return connectedDefinition(definition, extras, {
    providers: (name) => [inspectorProvider(name)],
    exports: [getRedisInspectorToken(connection)],
  });
}

function inspectorProvider(connection: string): Provider {
  return connectedProvider<RedisInspectorOptions>({
    provide: getRedisInspectorToken(connection),
    module: 'RedisInspectorModule',
    connection,
    options: MODULE_OPTIONS_TOKEN,
    make: (its, options) => {
      resolveInspectorOptions(options, 'RedisInspectorModule');
      return { user: NOTHING_TO_STOP, service: new RedisInspector(its, options) };
    },
    errorOf: (problem) => new InspectionConfigurationError('RedisInspectorModule', [problem]),
  });
}

/** An inspector does nothing unless it is asked. */
const NOTHING_TO_STOP = { stop: async (): Promise<void> => undefined };
