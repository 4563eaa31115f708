import {
  ConfigurableModuleBuilder,
  Logger,
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { EncryptionService } from '../encryption/index.js';
import {
  DEFAULT_CONNECTION,
  getRedisConnectionToken,
  RedisConnections,
  type RedisConnection,
} from '../redis/index.js';
import { connectionProblem, importedTwiceProblem, RedisCoreModule } from '../redis/shared.js';
import { Caches } from './caches.js';
import { CacheConfigurationError } from './options/cache-configuration-error.js';
import type { CacheRootOptions } from './options/cache-options.js';

/** What `forRoot` and `forRootAsync` take beside the options of the caches. */
export interface CacheConnectionExtras {
  /** Name of the Redis connection. @default the connection 'default', or none where the application has no such connection */
  connection?: string | undefined;
}

interface CoreExtras extends CacheConnectionExtras {
  imports?: NonNullable<ModuleMetadata['imports']>;
  extraProviders?: Provider[];
}

const { ConfigurableModuleClass: ConfigurableCacheCoreModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<CacheRootOptions>({ moduleName: 'Cache' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createCacheOptions')
    .setExtras<CoreExtras>({ connection: undefined, imports: [], extraProviders: [] }, completeDefinition)
    .build();

/** What all caches of an application stand on. Global, so that `forFeature` finds it whatever `isGlobal` says of the default cache. */
@Module({})
export class CacheCoreModule extends ConfigurableCacheCoreModule {
  constructor(modules: ModulesContainer) {
    super();
    const instead = 'and CacheModule.forFeature({ name }) for each further cache';
    const problem = importedTwiceProblem(modules, {
      metatype: CacheCoreModule,
      name: 'CacheModule',
      instead,
    });
    if (problem) throw new CacheConfigurationError('The cache', [problem]);
  }
}

function completeDefinition(definition: DynamicModule, extras: CoreExtras): DynamicModule {
  const { connection, imports = [], extraProviders = [] } = extras;
  return {
    ...definition,
    global: true,
    imports: [...(definition.imports ?? []), ...imports, RedisCoreModule],
    providers: [...(definition.providers ?? []), ...extraProviders, cachesProvider(connection)],
    exports: [Caches],
  };
}

function cachesProvider(name: string | undefined): Provider {
  return {
    provide: Caches,
    inject: [
      MODULE_OPTIONS_TOKEN,
      RedisConnections,
      { token: getRedisConnectionToken(name), optional: true },
      { token: EncryptionService, optional: true },
    ],
    useFactory: (
      options: CacheRootOptions,
      connections: RedisConnections,
      connection?: RedisConnection,
      encryption?: EncryptionService,
    ) => {
      if (!connection && name !== undefined) throw connectionError(name, 'cannot be found');
      const caches = new Caches(options, connection, encryption);
      connections.attach({
        start: async () => {
          if (!connection) checkLocalOnly(connections);
          await caches.start();
        },
        stop: () => caches.stop(),
      });
      return caches;
    },
  };
}

/** Caching in this process alone is what was meant only where there really is no connection. */
function checkLocalOnly(connections: RedisConnections): void {
  if (connections.get(DEFAULT_CONNECTION)) throw connectionError(DEFAULT_CONNECTION, 'is not visible here');
  new Logger('CacheModule').log('No Redis connection: values are cached in this process only');
}

function connectionError(
  name: string,
  fault: Parameters<typeof connectionProblem>[2],
): CacheConfigurationError {
  return new CacheConfigurationError('The cache', [connectionProblem('CacheModule', name, fault)]);
}
