import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisInspector } from 'rednest/diagnostics';
import { startCluster } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';

const opened = new Opened();

const RULES = `${guideAcl()} ${guideAcl('diagnostics')}`;
const USER = { username: 'watcher', password: 'watch' };
const ACL = [`${USER.username} on >${USER.password} ${RULES}`];

const ofScans = async (inspector: RedisInspector) => [
  await inspector.bigKeys({ by: 'bytes' }),
  await inspector.bigKeys({ by: 'elements' }),
  await inspector.staleKeys({ idleFor: '1d' }),
  await inspector.sweep({ match: 'nothing:*', idleFor: '1d' }),
  await inspector.sweep({ match: 'app:*', olderThan: '1d' }),
];

async function writeEachType(redis: Pick<Redis, 'set' | 'rpush' | 'hset' | 'sadd' | 'zadd' | 'xadd'>) {
  await Promise.all([
    redis.set('app:a', '1'),
    redis.rpush('app:b', '1'),
    redis.hset('app:c', 'a', '1'),
    redis.sadd('app:d', '1'),
    redis.zadd('app:e', 1, '1'),
    redis.xadd('app:f', '*', 'a', '1'),
  ]);
}

describe("a user with the guide's smallest ACL", () => {
  it('may look at all keys, and sweep', async () => {
    const server = await opened.server({ acl: ACL });
    const admin = await server.admin();
    await writeEachType(admin);
    const { connection } = await opened.connection({ ...server.options, ...USER });
    const inspector = new RedisInspector(connection);
    for (const { complete, omitted } of await ofScans(inspector))
      expect({ complete, omitted }).toEqual({ complete: true, omitted: [] });
    await eventually(async () => (await inspector.sweep({ match: 'app:*', idleFor: '1s' })).removed > 0);
    const stats = await admin.info('commandstats');
    // EVAL is for a server that does not know the script, BGSAVE and the figures have a test of their own.
    const used = guideAcl('diagnostics').match(
      /(?<=\+)(?:scan|dbsize|type|memory|object|\w+len|[sz]card|evalsha|getrange|time)\S*/g,
    )!;
    expect(used.length).toBeGreaterThan(12);
    expect(used.filter((command) => !stats.includes(`cmdstat_${command}:`))).toEqual([]);
  });

  it('may do so on a Cluster', async () => {
    const cluster = opened.add(await startCluster({ replicas: 0, acl: ACL }));
    const { connection } = await opened.connection({ ...cluster.options, ...USER });
    for (const { complete, omitted } of await ofScans(new RedisInspector(connection)))
      expect({ complete, omitted }).toEqual({ complete: true, omitted: [] });
  });
});
