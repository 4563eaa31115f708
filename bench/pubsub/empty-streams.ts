import type { Redis } from 'ioredis';

/** Rounds shall not fill the server. Groups stay where they are. */
export async function emptyStreams(redis: Redis, namespace: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(
      cursor,
      'MATCH',
      `${namespace}:*`,
      'COUNT',
      1_000,
      'TYPE',
      'stream',
    );
    for (const key of keys) await redis.xtrim(key, 'MAXLEN', 0);
    cursor = next;
  } while (cursor !== '0');
}
