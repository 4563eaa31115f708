import { NestFactory } from '@nestjs/core';
import { getRedisConnectionToken, RedisModule, type RedisConnection } from 'rednest';
import { RedisThrottlerStorage } from 'rednest/throttler';
import { limit, ttl, type Storage } from './storage.js';

/** As an application has it. */
export async function openRednest(url: string): Promise<Storage> {
  class BenchModule {}
  const application = await NestFactory.createApplicationContext(
    { module: BenchModule, imports: [RedisModule.forRoot({ url })] },
    { logger: ['error', 'warn'] },
  );
  const connection = application.get<RedisConnection>(getRedisConnectionToken());
  // A benchmark wants figures of Redis, not of the breaker.
  const options = { namespace: 'bench-rednest', whenUnavailable: 'refuse', budget: '10s' } as const;
  const storage = new RedisThrottlerStorage(connection, options);
  await connection.whenReady(5_000);
  return {
    name: 'rednest',
    hit: (client) => storage.increment(client, ttl, limit, 0, 'default'),
    close: () => application.close(),
  };
}
