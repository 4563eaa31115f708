import { Module, type DynamicModule } from '@nestjs/common';
import type { RedisOptions } from './options/redis-options.js';
import {
  ConfigurableRedisModule,
  type RedisModuleAsyncOptions,
  type RedisModuleExtras,
} from './redis.module-definition.js';

/** Options of {@link RedisModule.forRoot}. */
export type RedisModuleOptions = RedisOptions & RedisModuleExtras;

/**
 * One connection to Redis for each `forRoot`, given out by `@InjectRedis(name)` and `@InjectRedisConnection(name)`.
 *
 * Without an address in code it is configured by the environment: `REDIS_URL` and the others of `.env.example`, or `REDIS_<NAME>_URL`
 * for a named connection. Wrong configuration fails the start with a {@link RedisConfigurationError} that lists every problem.
 *
 * @example
 * imports: [
 *   RedisModule.forRoot(),
 *   RedisModule.forRoot({ name: 'sessions', url: 'rediss://sessions.internal', tls: { caFile: '/etc/redis/ca.pem' } }),
 * ]
 */
@Module({})
export class RedisModule extends ConfigurableRedisModule {
  static override forRoot(options: RedisModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * As {@link forRoot}, with options that other providers give. The name is not among those: it is part of the injection token.
   *
   * @example
   * RedisModule.forRootAsync({ inject: [ConfigService], useFactory: (config: ConfigService) => ({ url: config.getOrThrow('CACHE_URL') }) })
   */
  static override forRootAsync(options: RedisModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}
