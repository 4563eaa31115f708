import { Redis } from 'ioredis';
import { ttl, type Subject } from './subject.js';

/** What one would write by hand: GET and JSON.parse, on a client of ioredis. */
export function openBare(
  url: string,
  namespace: string,
  driver: 'auto-pipelined' | 'plain' = 'auto-pipelined',
): Subject {
  const redis = new Redis(url, {
    enableAutoPipelining: driver === 'auto-pipelined',
    keyPrefix: `${namespace}:`,
  });
  const get = async (key: string): Promise<unknown> => {
    const text = await redis.get(key);
    return text === null ? undefined : JSON.parse(text);
  };
  const set = (key: string, value: unknown) => redis.set(key, JSON.stringify(value), 'PX', ttl);
  return {
    name: driver === 'plain' ? 'bare ioredis' : 'bare ioredis, auto-pipelined',
    get,
    set,
    getOrSet: async (key, factory) => {
      const found = await get(key);
      if (found !== undefined) return found;
      const value = await factory();
      await set(key, value);
      return value;
    },
    getMany: async (keys) => {
      const texts = await redis.mget(keys);
      return texts.map((text) => (text === null ? undefined : (JSON.parse(text) as unknown)));
    },
    close: () => redis.quit(),
  };
}
