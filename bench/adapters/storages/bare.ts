import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { limit, ttl, type Storage } from './storage.js';

/** The adapter's own script, sent with the driver alone, and its reply as it is. */
export async function openBare(url: string, driver: 'plain' | 'auto-pipelined'): Promise<Storage> {
  const redis = new Redis(url, { enableAutoPipelining: driver === 'auto-pipelined' });
  const source = readFileSync(new URL('./hit.lua', import.meta.resolve('rednest/throttler')), 'utf8');
  const sha = createHash('sha1').update(source).digest('hex');
  await redis.script('LOAD', source);
  return {
    name: driver === 'plain' ? 'bare EVALSHA' : 'bare EVALSHA, auto-pipelined',
    hit: (client) => redis.evalsha(sha, 1, `bench-${driver}:default:${client}`, ttl, limit, 0),
    close: () => redis.quit(),
  };
}
