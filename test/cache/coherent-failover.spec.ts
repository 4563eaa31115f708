import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startSentinel, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openInstance } from './fixtures/coherent.js';

const opened = new Opened();

/** What is promised is 100 ms; the rest is for a busy machine. */
const BOUND = 100 + 150;

/** From now on nothing that is written reaches the replica, not by way of what is in its socket either. */
async function cutOff(master: RedisServer, replica: RedisServer): Promise<void> {
  replica.pause();
  await (await master.admin()).call('CLIENT', 'KILL', 'TYPE', 'replica');
}

describe('a failover by Sentinels to a replica that lags behind', () => {
  it('is followed: what the new master holds is read, and what it has lost is not', async () => {
    const group = opened.add(await startSentinel({ replicas: 1 }));
    const { cache } = await openInstance(opened, group.options);
    const writer = await openInstance(opened, group.options);
    const client = writer.connection.client;
    const recordOf = async (value: string) => {
      await writer.cache.set(value, value);
      return (await client.getBuffer(`app:cache:e:default:${value}`))!;
    };
    const [held, lost] = [await recordOf('held'), await recordOf('lost')];
    // Nobody knows of these, who could make them good.
    await client.set('app:cache:e:default:city', held);
    await client.wait(1, 5_000);
    const master = await group.master();
    const replica = group.servers.find((candidate) => candidate !== master)!;
    await cutOff(master, replica);
    await (await master.admin()).set('app:cache:e:default:city', lost);
    await eventually(async () => (await cache.get('city')) === 'lost');
    await master.kill();
    replica.resume();
    await group.waitForFailover();
    await eventually(() => cache.stats().coherent && cache.stats().available, 15_000);
    await sleep(BOUND);
    expect(await cache.get('city')).toBe('held');
  }, 60_000);

  it('does not undo an invalidation of a process that is still there', async () => {
    const group = opened.add(await startSentinel({ replicas: 1 }));
    const { cache } = await openInstance(opened, group.options);
    const writer = await openInstance(opened, group.options);
    await writer.cache.set('city', 'old');
    expect(await cache.get('city')).toBe('old');
    await writer.connection.client.wait(1, 5_000);
    const master = await group.master();
    const replica = group.servers.find((candidate) => candidate !== master)!;
    await cutOff(master, replica);
    await writer.cache.delete('city');
    await master.kill();
    replica.resume();
    await group.waitForFailover();
    for (const each of [cache, writer.cache])
      await eventually(() => each.stats().coherent && each.stats().available, 15_000);
    await sleep(BOUND);
    expect(await cache.get('city')).toBeUndefined();
  }, 60_000);
});
