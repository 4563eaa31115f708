import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { CacheModule, LockModule, PubSubModule, RedisModule, type RedisModuleOptions } from 'rednest';
import { AppController } from './app.controller.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { eventNamespace, lockNamespace } from './atlas.keys.js';
import { CitiesModule } from './cities/cities.module.js';
import { RedisErrorFilter } from './common/redis-error.filter.js';
import { validateEnvironment } from './environment.js';
import { ToursModule } from './tours/tours.module.js';
import { WorkModule } from './work/work.module.js';

@Module({})
export class AppModule {
  /** @param redis options of the connection; by default all of them come from `REDIS_*` in the environment */
  static async forRoot(redis?: RedisModuleOptions): Promise<DynamicModule> {
    return {
      module: AppModule,
      imports: [
        await ConfigModule.forRoot({ isGlobal: true, validate: validateEnvironment }),
        RedisModule.forRoot(redis),
        CacheModule.forRoot({ namespace: 'atlas', ttl: '10m', stale: '1h' }),
        LockModule.forRoot({ namespace: lockNamespace }),
        // Handlers take some milliseconds; where Redis does not answer, they hold up nobody for longer.
        PubSubModule.forRoot({ namespace: eventNamespace, shutdownTimeout: '1s' }),
        ScheduleModule.forRoot(),
        CitiesModule,
        ToursModule,
        WorkModule,
        AccountsModule,
      ],
      controllers: [AppController],
      providers: [{ provide: APP_FILTER, useClass: RedisErrorFilter }],
    };
  }
}
