import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type Provider,
} from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { RedisConnection } from './connection/redis-connection.js';
import { hideOptions } from './options/hide-options.js';
import type { RedisOptions } from './options/redis-options.js';
import { resolveRedisOptions } from './options/resolve-redis-options.js';
import { RedisConnections } from './redis-connections.js';
import { RedisCoreModule } from './redis-core.module.js';
import { DEFAULT_CONNECTION, getRedisConnectionToken, getRedisToken } from './redis.tokens.js';

/** What `forRoot` and `forRootAsync` take beside the options of the connection. */
export interface RedisModuleExtras {
  /** Name of the connection, case-sensitive. @default 'default' */
  name?: string;
  /** Whether all modules may inject the connection without importing `RedisModule`. @default true */
  isGlobal?: boolean;
  /** First part of the names of the environment variables. @default 'REDIS_', or 'REDIS_<NAME>_' for a named connection */
  envPrefix?: string | undefined;
}

/** A class that makes options, for `useClass` and `useExisting`. */
export interface RedisOptionsFactory {
  createRedisOptions(): RedisOptions | Promise<RedisOptions>;
}

export type RedisModuleAsyncOptions = ConfigurableModuleAsyncOptions<RedisOptions, 'createRedisOptions'> &
  RedisModuleExtras & {
    /** Providers that the factory needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

type DefinitionExtras = RedisModuleExtras & { extraProviders?: Provider[] };

export const { ConfigurableModuleClass: ConfigurableRedisModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<RedisOptions>({ moduleName: 'Redis' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisOptions')
    .setExtras<DefinitionExtras>(
      { name: DEFAULT_CONNECTION, isGlobal: true, envPrefix: undefined, extraProviders: [] },
      completeDefinition,
    )
    .build();

function completeDefinition(definition: DynamicModule, extras: DefinitionExtras): DynamicModule {
  const { name = DEFAULT_CONNECTION, isGlobal = true, extraProviders = [] } = extras;
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), RedisCoreModule],
    providers: [
      ...(definition.providers ?? []).map(hideOptions(MODULE_OPTIONS_TOKEN)),
      ...extraProviders,
      connectionProvider(name, extras.envPrefix),
      {
        provide: getRedisToken(name),
        useFactory: ({ client }: RedisConnection) => client,
        inject: [getRedisConnectionToken(name)],
      },
    ],
    exports: [getRedisToken(name), getRedisConnectionToken(name)],
  };
}

function connectionProvider(name: string, envPrefix: string | undefined): Provider {
  return {
    provide: getRedisConnectionToken(name),
    inject: [MODULE_OPTIONS_TOKEN, RedisConnections, { token: ConfigService, optional: true }],
    useFactory: (options: RedisOptions, connections: RedisConnections, config = new ConfigService()) =>
      connections.add(
        new RedisConnection(
          resolveRedisOptions({ name, options, config, ...(envPrefix !== undefined && { envPrefix }) }),
        ),
      ),
  };
}
