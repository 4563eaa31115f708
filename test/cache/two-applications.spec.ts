import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';
import { Traffic } from './fixtures/traffic.js';

const opened = new Opened();

describe('two applications in one process', () => {
  it('do not see each other', async () => {
    const servers = [await opened.server({}), await opened.server({})] as const;
    const [first, second] = [
      await startReplica(opened, servers[0].options),
      await startReplica(opened, servers[1].options),
    ];
    await first.cache.set('city', 'first', { tags: ['cities'] });
    expect(await second.cache.get('city')).toBeUndefined();
    await second.cache.set('city', 'second', { tags: ['cities'] });
    await first.cache.invalidateTags('cities');
    expect(await first.cache.get('city')).toBeUndefined();
    expect(await second.cache.get('city')).toBe('second');
    expect(first.cache.stats().stores).toBe(1);
    const traffic = new Traffic(second.cache);
    await first.close();
    expect(second.cache.stats()).toMatchObject({ available: true, coherent: true });
    await (await servers[1].admin()).del('app:cache:e:default:city');
    await eventually(async () => (await second.cache.get('city')) === undefined);
    await traffic.stop();
    expect(traffic.between(0, Infinity).failures).toEqual([]);
  });

  it('one is closed in the middle of traffic, and answers all of it', async () => {
    const server = await opened.server({});
    const { cache, close } = await startReplica(opened, server.options, { ttl: 20 });
    const traffic = new Traffic(cache);
    await sleep(200);
    const from = performance.now();
    await close();
    expect(performance.now() - from).toBeLessThan(500);
    await sleep(100);
    await traffic.stop();
    expect(traffic.between(0, Infinity).failures).toEqual([]);
    expect(traffic.between(from, Infinity).count).toBeGreaterThan(10);
  });
});
