import { once } from 'node:events';
import { Redis } from 'ioredis';

export type Driver = 'auto-pipelined' | 'plain';

export async function connect(url: string, driver: Driver): Promise<Redis> {
  const redis = new Redis(url, { enableAutoPipelining: driver === 'auto-pipelined' });
  await once(redis, 'ready');
  return redis;
}

/** For peers that open their connections themselves. */
export function connectionOf(url: string): { host: string; port: number; enableAutoPipelining: boolean } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), enableAutoPipelining: true };
}
