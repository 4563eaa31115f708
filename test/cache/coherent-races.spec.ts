import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultProxy, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { arrival, openInstance } from './fixtures/coherent.js';
import { Legs } from './fixtures/coherent-legs.js';

const opened = new Opened();
const KEY = 'app:cache:e:default:city';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await (await server.admin()).flushall();
});

describe('what was read before a change that was told of is not kept', () => {
  it.each([
    ['the entry', {}, (other: Cache) => other.set('city', 'new')],
    ['its tag', { tags: ['cities'] }, (other: Cache) => other.invalidateTags('cities')],
    ['its cache', {}, (other: Cache) => other.clear()],
  ])('where the news of %s overtakes the reply', async (_, options, write) => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const other = await openInstance(opened, server.options);
    await other.cache.set('city', 'old', options);
    legs.hold('data');
    const reading = cache.get('city');
    await eventually(() => legs.heldBytes('data') > 0);
    await write(other.cache);
    await arrival();
    legs.release('data');
    await reading;
    expect(await cache.get('city')).not.toBe('old');
    expect(await cache.getMany(['city'])).not.toContain('old');
  });

  it('where the reply arrives after the listener was lost, and after it was armed again', async () => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const other = await openInstance(opened, server.options);
    await other.cache.set('city', 'old', { tags: ['cities'] });
    await other.cache.set('neighbour', 'old', { tags: ['cities'] });
    expect(await cache.get('neighbour')).toBe('old');
    legs.hold('data');
    const reading = cache.get('city');
    await eventually(() => legs.heldBytes('data') > 0);
    legs.cut('listener');
    await other.cache.invalidateTags('cities');
    await other.cache.delete('city');
    await eventually(() => cache.stats().coherent);
    legs.release('data');
    await reading;
    expect(await cache.getMany(['city', 'neighbour'])).toEqual([undefined, undefined]);
  });

  it('where the news waits while the reply is there: it is kept, until they arrive', async () => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const other = await openInstance(opened, server.options);
    await other.cache.set('city', 'old');
    await arrival();
    legs.hold('listener');
    expect(await cache.get('city')).toBe('old');
    await other.cache.delete('city');
    expect(await cache.get('city')).toBe('old');
    legs.release('listener');
    await eventually(async () => (await cache.get('city')) === undefined, 500);
  });

  it('where its stamps take another round trip', async () => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const other = await openInstance(opened, server.options);
    await cache.get('first');
    await other.cache.set('city', 'old', { tags: ['cities'] });
    legs.hold('data');
    const reading = cache.get('city');
    await eventually(() => legs.heldBytes('data') > 0);
    // The entry itself arrives, and the stamps that it names are asked for.
    legs.release('data');
    legs.hold('data');
    await eventually(() => legs.heldBytes('data') > 0);
    await other.cache.set('city', 'new', { tags: ['cities'] });
    await arrival();
    legs.release('data');
    await reading;
    expect(await cache.get('city')).toBe('new');
  });

  it('where it arrives in parts, and the news between them', async () => {
    const { cache } = await openInstance(opened, server.options, {
      batchSize: 1,
      compression: { algorithm: 'gzip', threshold: 1 },
    });
    const other = await openInstance(opened, server.options, {
      compression: { algorithm: 'gzip', threshold: 1 },
    });
    const large = randomBytes(3_000_000).toString('base64');
    await other.cache.setMany([['city', `old ${large}`]]);
    for (let round = 0; round < 8; round++) {
      const reading = cache.getMany<string>([
        'city',
        ...Array.from({ length: 20 }, (_, index) => `none:${index}`),
      ]);
      await sleep(2 * round);
      await other.cache.set('city', `${round} ${large}`);
      await reading;
      await arrival();
      expect((await cache.get<string>('city'))?.split(' ')[0]).toBe(String(round));
    }
  }, 60_000);
});

describe('a process hears of its own changes where the server does not tell', () => {
  it.each(['pubsub', 'none', 'tracking'] as const)(
    'also of keys that it reads in the same turn (%s)',
    async (coherence) => {
      const { cache } = await openInstance(opened, server.options, { coherence, local: { maxAge: '1m' } });
      await cache.set('city', 'old', { tags: ['cities'] });
      for (const change of [
        () => cache.delete('city'),
        () => cache.expire('city'),
        () => cache.invalidateTags('cities'),
      ]) {
        await cache.set('city', 'old', { tags: ['cities'] });
        const first = cache.get('other');
        const changing = change();
        const second = cache.get('city');
        await Promise.all([first, changing, second]);
        expect(await cache.get('city')).toBeUndefined();
      }
    },
  );

  it.each(['pubsub', 'none'] as const)(
    'also of one that takes long to be encoded (%s)',
    async (coherence) => {
      const compression = { algorithm: 'gzip', threshold: 1 } as const;
      const { cache } = await openInstance(opened, server.options, {
        coherence,
        compression,
        local: { maxAge: '1m' },
      });
      await cache.set('city', 'old');
      const setting = cache.set('city', randomBytes(5_000_000).toString('base64'));
      for (let read = 0; read < 20; read++) {
        await sleep(2);
        await cache.get('city');
      }
      await setting;
      expect(await cache.get('city')).not.toBe('old');
    },
  );

  it.each(['pubsub', 'none'] as const)(
    'also of those that it makes by pattern, and by age (%s)',
    async (coherence) => {
      const { cache } = await openInstance(opened, server.options, { coherence, local: { maxAge: '1m' } });
      await cache.set('city', 'old');
      expect(await cache.get('city')).toBe('old');
      await sleep(20);
      expect(await cache.sweep({ olderThan: 10 })).toBe(1);
      expect(await cache.get('city')).toBeUndefined();
      await cache.set('city', 'old');
      const deleting = cache.deleteByPattern('*');
      await cache.get('city');
      expect(await deleting).toBe(1);
      expect(await cache.get('city')).toBeUndefined();
    },
  );
});

describe('a change that takes longer than the budget', () => {
  const DELAY = 200;

  it.each(['set', 'delete', 'expire', 'invalidateTags'] as const)(
    'is announced when it has happened (pubsub, %s)',
    async (method) => {
      const proxy = opened.add(await FaultProxy.start(server));
      const slow = await openInstance(opened, proxy.optionsFor(server.options), {
        coherence: 'pubsub',
        budget: '50ms',
        breakerFailures: 1_000,
      });
      const { cache } = await openInstance(opened, server.options, {
        coherence: 'pubsub',
        local: { maxAge: '1m' },
      });
      await slow.cache.set('city', 'old', { tags: ['cities'] });
      await arrival();
      expect(await cache.get('city')).toBe('old');
      proxy.delay(DELAY, 'up');
      if (method === 'invalidateTags') await slow.cache.invalidateTags('cities');
      else if (method === 'set') await slow.cache.set('city', 'new', { tags: ['cities'] });
      else await slow.cache[method]('city');
      // It has not happened yet; whoever looks now sees what was.
      await cache.get('city');
      const deadline = performance.now() + 2_000;
      while (performance.now() < deadline && (await cache.get('city')) === 'old') await sleep(5);
      // Nor does it come back with what was still on its way.
      const until = performance.now() + 2 * DELAY;
      while (performance.now() < until) {
        expect(await cache.get('city')).not.toBe('old');
        await sleep(5);
      }
      expect(await cache.get('city')).not.toBe('old');
    },
  );

  it('and is a value does not replace a newer one', async () => {
    const proxy = opened.add(await FaultProxy.start(server));
    const slow = await openInstance(opened, proxy.optionsFor(server.options), {
      budget: '50ms',
      breakerFailures: 1_000,
    });
    const { cache } = await openInstance(opened, server.options);
    await slow.cache.set('city', 'oldest');
    proxy.delay(400, 'up');
    await slow.cache.set('city', 'old');
    await cache.set('city', 'new');
    await sleep(1_500);
    expect(await cache.get('city')).not.toBe('old');
  });
});

describe('an entry that was written while a stamp could not be had', () => {
  it('is never valid', async () => {
    const writer = await openInstance(opened, server.options);
    await writer.cache.set('city', 'old');
    const admin = await server.admin();
    await admin.setrange(KEY, 56, '\0'.repeat(8));
    await admin.del('app:cache:g:default');
    const { cache } = await openInstance(opened, server.options);
    expect(await cache.get('city')).toBeUndefined();
    expect(await cache.getMany(['city'])).toEqual([undefined]);
    expect(await cache.getOrSet('city', () => 'new')).toBe('new');
  });
});

describe('a tag that is no well-formed text', () => {
  it('is told of all the same', async () => {
    const { cache } = await openInstance(opened, server.options);
    const other = await openInstance(opened, server.options);
    await other.cache.set('city', 'old', { tags: ['tag\ud800'] });
    expect(await cache.get('city')).toBe('old');
    await other.cache.set('city', 'new', { tags: ['tag\ud800'] });
    await arrival();
    expect(await cache.get('city')).toBe('new');
    await other.cache.invalidateTags('tag\ud800');
    await arrival();
    expect(await cache.get('city')).toBeUndefined();
  });
});

type Cache = Awaited<ReturnType<typeof openInstance>>['cache'];
