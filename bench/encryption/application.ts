import { NestFactory } from '@nestjs/core';
import { createHash } from 'node:crypto';
import {
  EncryptedStore,
  EncryptionModule,
  EncryptionService,
  getRedisToken,
  RedisModule,
  type EncryptionRootOptions,
  type RedisClient,
} from 'rednest';
import { redisUrl } from '../support/redis-url.js';

/** rednest as an application gets it: by its modules. */
export interface EncryptedApplication {
  readonly encryption: EncryptionService;
  readonly store: EncryptedStore;
  /** The connection's client, auto-pipelined: the bare commands go through it too. */
  readonly client: RedisClient;
  close(): Promise<void>;
}

export async function openApplication(options: EncryptionRootOptions): Promise<EncryptedApplication> {
  class BenchModule {}
  const imports = [RedisModule.forRoot({ url: redisUrl() }), EncryptionModule.forRoot(options)];
  const application = await NestFactory.createApplicationContext(
    { module: BenchModule, imports },
    { logger: ['error', 'warn'] },
  );
  return {
    encryption: application.get(EncryptionService),
    store: application.get(EncryptedStore),
    client: application.get<RedisClient>(getRedisToken()),
    close: () => application.close(),
  };
}

/** 32 bytes that look random, the same for all who name them. */
export function keyNamed(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

/** Printable bytes, so that what takes nothing but text can take them. */
export function plaintextOf(size: number, seed: number): Buffer {
  const hash = createHash('shake256', { outputLength: size }).update(String(seed)).digest('base64');
  return Buffer.from(hash.slice(0, size));
}
