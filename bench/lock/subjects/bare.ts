import { createHash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { ttl, type Place, type Subject } from './subject.js';

const deleteOwn = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/** What one would write by hand for a lock that is free: SET NX PX with a random token, and a script that deletes what is one's own. */
export async function openBare({ url, namespace }: Place): Promise<Subject> {
  const redis = new Redis(url);
  const sha = createHash('sha1').update(deleteOwn).digest('hex');
  await redis.script('LOAD', deleteOwn);
  return {
    name: 'bare commands',
    acquire: async (resource) => {
      const key = `${namespace}:${resource}`;
      const token = randomUUID();
      if ((await redis.set(key, token, 'PX', ttl, 'NX')) !== 'OK') throw new Error(`${key} is held`);
      return { release: () => redis.evalsha(sha, 1, key, token) };
    },
    close: () => redis.quit(),
  };
}
