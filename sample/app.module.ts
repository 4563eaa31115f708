import { Module, type DynamicModule } from '@nestjs/common';
import { BullModule } from '@nestjs/bullmq';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { seconds, ThrottlerModule } from '@nestjs/throttler';
import {
  CacheModule,
  EncryptionModule,
  getRedisConnectionToken,
  LockModule,
  PubSubModule,
  RedisModule,
  type EncryptionModuleOptions,
  type RedisConnection,
  type RedisModuleOptions,
} from 'rednest';
import { bullConnection } from 'rednest/bullmq';
import { RedisHealthModule } from 'rednest/health';
import { RedisMetricsModule } from 'rednest/metrics';
import { RedisThrottlerStorage } from 'rednest/throttler';
import { AppController } from './app.controller.js';
import { AccountsModule } from './accounts/accounts.module.js';
import {
  eventNamespace,
  jobPrefix,
  lockNamespace,
  secureNamespace,
  throttleNamespace,
} from './atlas.keys.js';
import { CitiesModule } from './cities/cities.module.js';
import { MalformedBodyFilter } from './common/malformed-body.filter.js';
import { RedisErrorFilter } from './common/redis-error.filter.js';
import { validateEnvironment } from './environment.js';
import { MembersModule } from './members/members.module.js';
import { PaymentsModule } from './payments/payments.module.js';
import { ServerModule } from './server/server.module.js';
import { ToursModule } from './tours/tours.module.js';
import { WorkModule } from './work/work.module.js';

/** What Atlas takes from the environment, unless it is given here. */
export interface AppOptions {
  /** Of the connection. @default from `REDIS_*` */
  redis?: RedisModuleOptions;
  /** @default from `ENCRYPTION_KEY` and `ENCRYPTION_DECRYPT_KEYS` */
  keys?: Pick<EncryptionModuleOptions, 'key' | 'decryptKeys'>;
  /** @default from `SESSION_SECRET` */
  sessionSecret?: string;
}

@Module({})
export class AppModule {
  static async forRoot({ redis, keys, sessionSecret }: AppOptions = {}): Promise<DynamicModule> {
    return {
      module: AppModule,
      imports: [
        await ConfigModule.forRoot({
          isGlobal: true,
          validate: validateEnvironment,
          load: [() => (sessionSecret === undefined ? {} : { SESSION_SECRET: sessionSecret })],
        }),
        RedisModule.forRoot(redis),
        CacheModule.forRoot({ namespace: 'atlas', ttl: '10m', stale: '1h' }),
        LockModule.forRoot({ namespace: lockNamespace }),
        // Handlers take some milliseconds; where Redis does not answer, they hold up nobody for longer.
        PubSubModule.forRoot({ namespace: eventNamespace, shutdownTimeout: '1s' }),
        EncryptionModule.forRoot({ ...keys, namespace: secureNamespace }),
        // Its one connection is required, as `startup: 'required'` says. Atlas has all that it shows in Redis: a replica that alone cannot
        // reach it, or writes to what has become a replica, must get no requests. Where Redis is away for all, none of them is ready: who
        // asks is refused in front of Atlas, and is told the same as by Atlas itself, which could answer no more than 503 to nearly all.
        RedisHealthModule.forRootAsync({
          inject: [ConfigService],
          useFactory: (config: ConfigService) => ({ shutdownDelay: config.getOrThrow('SHUTDOWN_DELAY') }),
        }),
        RedisMetricsModule.forRoot({ defaultMetrics: true }),
        ScheduleModule.forRoot(),
        BullModule.forRootAsync({
          inject: [getRedisConnectionToken()],
          useFactory: (connection: RedisConnection) => bullConnection(connection, { prefix: jobPrefix }),
        }),
        // For the routes that have the guard. Who asks more often is told so; while Redis is away nobody is, and what is cached is served on.
        ThrottlerModule.forRootAsync({
          inject: [getRedisConnectionToken()],
          useFactory: (connection: RedisConnection) => ({
            throttlers: [{ limit: 50, ttl: seconds(10) }],
            storage: new RedisThrottlerStorage(connection, {
              namespace: throttleNamespace,
              // A login is not to be tried uncounted because Redis has much to do.
              budget: '1s',
            }),
            errorMessage: 'Too many requests, try again soon',
          }),
        }),
        CitiesModule,
        ToursModule,
        WorkModule,
        AccountsModule,
        MembersModule,
        PaymentsModule,
        ServerModule,
      ],
      controllers: [AppController],
      providers: [
        { provide: APP_FILTER, useClass: RedisErrorFilter },
        // The last one is asked first.
        { provide: APP_FILTER, useClass: MalformedBodyFilter },
      ],
    };
  }
}
