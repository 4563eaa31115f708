import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { LockModule, LockService, RedisModule } from 'rednest';
import { ttl, type Place, type Subject } from './subject.js';

/** As an application gets it: by its modules. */
export async function openRednest({ url, namespace }: Place): Promise<Subject> {
  class BenchModule {}
  const application = await NestFactory.createApplicationContext(
    {
      module: BenchModule,
      imports: [RedisModule.forRoot({ url }), LockModule.forRoot({ namespace, ttl, wait: Infinity })],
    },
    { logger: ['error', 'warn'] },
  );
  const locks = application.get(LockService);
  return {
    name: 'rednest',
    acquire: (resource) => locks.acquire(resource),
    keep: (resource) => locks.acquire(resource),
    close: () => application.close(),
  };
}
