import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica, untilAway, untilBack } from './fixtures/replica.js';

const opened = new Opened();

const ENTRY = 'app:cache:e:default:';

/** More than may wait, by default. */
const MANY = 10_001;

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);

describe('invalidations of a Redis that answers', () => {
  it('never count as waiting, however many are under way', async () => {
    const server = await opened.server({});
    const { cache, log } = await startReplica(opened, server.options, { local: false, budget: '5s' });
    await cache.set('untouched', 'cached');
    const names = namesOf(MANY);
    await cache.setMany(names.map((name) => [name, name]));
    expect(await cache.get('untouched')).toBe('cached');
    expect(await cache.getMany(['k0', 'k5000', 'k10000'])).toEqual(['k0', 'k5000', 'k10000']);
    await cache.delete(names);
    expect(await cache.get('untouched')).toBe('cached');
    expect(await cache.getMany(['k0', 'k5000', 'k10000'])).toEqual([undefined, undefined, undefined]);
    expect(cache.stats().pendingInvalidations).toBe(0);
    expect(log.texts('CacheModule').filter((text) => text.includes('invalidat'))).toEqual([]);
  });

  it('leave alone what is set beside them', async () => {
    const server = await opened.server({});
    const { cache } = await startReplica(opened, server.options, { local: false, budget: '1s' });
    const end = performance.now() + 1_500;
    const missing: string[] = [];
    const loops = namesOf(50).map(async (name) => {
      for (let i = 0; performance.now() < end; i++) {
        await cache.set(name, i);
        if ((await cache.get(name)) !== i) missing.push(name);
      }
    });
    while (performance.now() < end) {
      await cache.delete('other');
      await sleep(1);
    }
    await Promise.all(loops);
    expect(missing).toEqual([]);
  });

  it('are not done again after a pause: what was set since stays', async () => {
    const server = await opened.server({});
    const replica = await startReplica(opened, server.options, { local: false });
    const { cache } = replica;
    const names = namesOf(4);
    await cache.delete(names);
    await cache.setMany(names.map((name) => [name, name]));
    const admin = await server.admin();
    await admin.call('CLIENT', 'PAUSE', '400', 'ALL');
    for (let i = 0; i < 4; i++) await cache.get('k0');
    expect(cache.stats().available).toBe(false);
    await untilBack(replica);
    expect(await admin.exists(...names.map((name) => ENTRY + name))).toBe(4);
    expect(await cache.getMany(names)).toEqual(names);
  });
});

describe('invalidations that a lost master may not have passed on', () => {
  it('are done again, and what was only set stays', async () => {
    const server = await opened.server({});
    const proxy = opened.add(await FaultProxy.start(server));
    const replica = await startReplica(opened, proxy.optionsFor(server.options), { local: false });
    const { cache } = replica;
    const admin = await server.admin();
    await cache.setMany([
      ['deleted', 'old'],
      ['set', 'cached'],
    ]);
    const old = (await admin.getBuffer(`${ENTRY}deleted`))!;
    await cache.delete('deleted');
    // As if the replica that took over had not heard of it.
    await admin.set(`${ENTRY}deleted`, old);
    proxy.cut();
    await untilBack(replica);
    await eventually(async () => expect(await admin.exists(`${ENTRY}deleted`)).toBe(0));
    expect(await cache.getMany(['deleted', 'set'])).toEqual([undefined, 'cached']);
  });

  it('are done again with all else where there were more than are kept', async () => {
    const server = await opened.server({});
    const proxy = opened.add(await FaultProxy.start(server));
    const options = proxy.optionsFor(server.options);
    const replica = await startReplica(opened, options, { local: false, pendingInvalidations: 2 });
    const { cache } = replica;
    const admin = await server.admin();
    await cache.set('deleted', 'old');
    const old = (await admin.getBuffer(`${ENTRY}deleted`))!;
    for (const name of ['deleted', 'a', 'b', 'c']) await cache.delete(name);
    await admin.set(`${ENTRY}deleted`, old);
    proxy.cut();
    await untilBack(replica);
    await eventually(async () => expect(await cache.get('deleted')).toBeUndefined());
    const other = await startReplica(opened, server.options, { local: false });
    expect(await other.cache.get('deleted', { stale: true })).toBeUndefined();
  });
});

describe('invalidations that Redis refuses', () => {
  it('do not keep the others from being done, and are sent more and more seldom', async () => {
    const server = await opened.server({ acl: ['app on >secret ~app:* &* +@all -evalsha -eval'] });
    const replica = await startReplica(opened, server.options, { local: false });
    const { cache } = replica;
    const admin = await server.admin();
    await cache.invalidateTags('cities');
    server.pause();
    await untilAway(replica);
    await cache.delete('city');
    server.resume();
    await eventually(() => cache.stats().available && cache.stats().pendingInvalidations === 1);
    await admin.config('RESETSTAT');
    await sleep(5_000);
    const refused = /cmdstat_evalsha:.*rejected_calls=(\d+)/.exec(await admin.info('commandstats'))?.[1];
    expect(Number(refused ?? 0)).toBeLessThanOrEqual(3);
    expect(cache.stats().pendingInvalidations).toBe(1);
  });

  it('of one entry do not spoil those that are sent with it', async () => {
    // A value that is larger than a command may have is refused by its own connection; here a key is refused by its name.
    const server = await opened.server({
      acl: ['app on >secret %R~app:* ~app:cache:g:* ~app:cache:e:default:a* &* +@all'],
    });
    const { cache } = await startReplica(opened, server.options, { local: false });
    await cache.setMany([
      ['a1', 1],
      ['b1', 1],
      ['a2', 2],
    ]);
    expect(await cache.getMany(['a1', 'b1', 'a2'])).toEqual([1, undefined, 2]);
    expect(cache.stats()).toMatchObject({ pendingInvalidations: 1, stores: 2 });
  });
});

describe('a lease that was granted by a script that failed', () => {
  it('is given back', async () => {
    const server = await opened.server({ acl: ['app on >secret ~app:* &* +@all -pexpire'] });
    const replica = await startReplica(opened, server.options, { local: false, lease: '1m' });
    const { cache } = replica;
    await cache.set('city', 'old', { ttl: 200 });
    await cache.expire('city');
    const admin = await server.admin();
    await cache.set('city', 'old', { ttl: 100, stale: '20s' });
    await sleep(150);
    expect(await cache.getOrSet('city', () => 'new', { softTimeout: '5s' })).toBe('new');
    await eventually(async () => {
      const record = (await admin.getBuffer(`${ENTRY}city`))!;
      expect(record.subarray(8, 16)).toEqual(Buffer.alloc(8));
    });
  });
});

describe('an application that is closed', () => {
  it('gives back the leases that it holds', async () => {
    const server = await opened.server({});
    const [first, second] = [
      await startReplica(opened, server.options, { lease: '1m' }),
      await startReplica(opened, server.options, { lease: '1m' }),
    ];
    let isMaking = false;
    const never = () => {
      isMaking = true;
      return new Promise<never>(() => undefined);
    };
    void first.cache.getOrSet('city', never).catch(() => undefined);
    await eventually(() => isMaking);
    const value = second.cache.getOrSet('city', () => 'made');
    await sleep(100);
    await first.close();
    expect(await value).toBe('made');
  });

  it('sends what still waits', async () => {
    const server = await opened.server({ acl: ['app on >secret ~app:* &* +@all'] });
    const replica = await startReplica(opened, server.options, { local: false });
    const admin = await server.admin();
    await replica.cache.set('city', 'old');
    await admin.acl('SETUSER', 'app', '-unlink');
    await replica.cache.delete('city');
    expect(replica.cache.stats().pendingInvalidations).toBe(1);
    await admin.acl('SETUSER', 'app', '+unlink');
    await replica.close();
    expect(await admin.exists(`${ENTRY}city`)).toBe(0);
  });
});
