import { ThrottlerStorageService } from '@nestjs/throttler';
import { limit, ttl, type Storage } from './storage.js';

/** The package's own storage, which asks nobody. */
export async function openMemory(): Promise<Storage> {
  const storage = new ThrottlerStorageService();
  return {
    name: '@nestjs/throttler, in memory',
    hit: (client) => storage.increment(client, ttl, limit, 0, 'default'),
    close: async () => storage.onApplicationShutdown(),
  };
}
