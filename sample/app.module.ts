import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import {
  CacheModule,
  EncryptionModule,
  LockModule,
  PubSubModule,
  RedisModule,
  type EncryptionModuleOptions,
  type RedisModuleOptions,
} from 'rednest';
import { RedisHealthModule } from 'rednest/health';
import { RedisMetricsModule } from 'rednest/metrics';
import { AppController } from './app.controller.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { eventNamespace, lockNamespace, secureNamespace } from './atlas.keys.js';
import { CitiesModule } from './cities/cities.module.js';
import { MalformedBodyFilter } from './common/malformed-body.filter.js';
import { RedisErrorFilter } from './common/redis-error.filter.js';
import { validateEnvironment } from './environment.js';
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
}

@Module({})
export class AppModule {
  static async forRoot({ redis, keys }: AppOptions = {}): Promise<DynamicModule> {
    return {
      module: AppModule,
      imports: [
        await ConfigModule.forRoot({ isGlobal: true, validate: validateEnvironment }),
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
        CitiesModule,
        ToursModule,
        WorkModule,
        AccountsModule,
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
