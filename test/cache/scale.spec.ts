import { describe, expect, it } from '@jest/globals';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

const MEGABYTE = 1_024 * 1_024;

/** Less than these values take, and more than a busy machine stands still. */
const OPTIONS = { local: false, budget: '150ms' } as const;

async function commandStats(server: RedisServer): Promise<string> {
  return (await server.admin()).info('commandstats');
}

describe('many large values', () => {
  it('are stored and read, although that takes longer than the budget', async () => {
    const server = await opened.server({});
    const replica = await startReplica(opened, server.options, OPTIONS);
    const { cache } = replica;
    const names = Array.from({ length: 100 }, (_, index) => `k${index}`);
    // A machine that stands still for longer than the budget ends it with right. Without what is tested here, it ends so each time.
    await eventually(async () => {
      const before = cache.stats().stores;
      await cache.setMany(names.map((name) => [name, name.padEnd(MEGABYTE, 'x')]));
      expect(cache.stats()).toMatchObject({
        pendingInvalidations: 0,
        available: true,
        stores: before + 100,
      });
    });
    await eventually(async () => {
      const values = await cache.getMany<string>(names);
      expect(values.filter((value) => value?.length === MEGABYTE)).toHaveLength(100);
    });
  });

  it('are read by a process that did not store them, once it knows how large they are', async () => {
    const server = await opened.server({});
    const [first, second] = [
      await startReplica(opened, server.options, OPTIONS),
      await startReplica(opened, server.options, OPTIONS),
    ];
    const names = Array.from({ length: 100 }, (_, index) => `k${index}`);
    await first.cache.setMany(names.map((name) => [name, name.padEnd(MEGABYTE, 'x')]));
    await eventually(async () => {
      const values = await second.cache.getMany<string>(names);
      expect(values.filter((value) => value?.length === MEGABYTE)).toHaveLength(100);
    });
    const before = Number(/cmdstat_mget:calls=(\d+)/.exec(await commandStats(server))?.[1]);
    await second.cache.getMany<string>(names);
    const after = Number(/cmdstat_mget:calls=(\d+)/.exec(await commandStats(server))?.[1]);
    expect(after - before).toBeGreaterThanOrEqual(50);
  });

  it('are stored by a factory for many keys', async () => {
    const server = await opened.server({});
    const replica = await startReplica(opened, server.options, OPTIONS);
    const { cache } = replica;
    const names = Array.from({ length: 50 }, (_, index) => `k${index}`);
    const make = (keys: readonly string[]) => new Map(keys.map((key) => [key, key.padEnd(MEGABYTE, 'x')]));
    const redisKeys = names.map((name) => `app:cache:e:default:${name}`);
    await eventually(async () => {
      await cache.delete(names);
      await cache.getOrSetMany(names, make);
      expect(await (await server.admin()).exists(...redisKeys)).toBe(50);
    });
  });
});
