import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheService } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { cityKeys } from '../cities/cities.keys.js';
import type { City } from '../cities/city.dto.js';
import { RunningAtlas } from './atlas.fixture.js';
import { ZURICH } from './city-data.fixture.js';
import { until } from './until.fixture.js';

const PAGE = `/cities/${ZURICH}`;
const SEARCH = '/cities?q=zurich&limit=1';

describe('what is cached', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;

  beforeEach(async () => {
    server = await startRedis();
    atlas = await RunningAtlas.start({ redis: server.options });
  });

  afterEach(async () => {
    await atlas?.close();
    await server?.stop();
  });

  async function population(path: string): Promise<number> {
    const { body } = await atlas.get<City | City[]>(path);
    return (Array.isArray(body) ? body[0]! : body).population;
  }

  /** Asked for until it comes from this process: an answer that a push overtook is not kept here. */
  async function keptHere(path: string): Promise<void> {
    const cache = atlas.app.get(CacheService);
    await until(async () => {
      const { localHits } = cache.stats();
      await atlas.get(path);
      return cache.stats().localHits > localHits;
    });
  }

  it('is the page of a city, of which a client that has it is told that nothing has changed', async () => {
    const first = await atlas.get<City>(PAGE);
    expect(first.headers.get('x-cache')).toBe('MISS');
    const second = await atlas.get<City>(PAGE);
    expect(second.headers.get('x-cache')).toBe('HIT');
    expect(second.body).toEqual(first.body);
    const etag = second.headers.get('etag')!;
    const { status } = await fetch(atlas.url + PAGE, { headers: { 'if-none-match': etag } });
    expect(status).toBe(304);
  });

  it('is taken back by an update: page, search and neighbours', async () => {
    const near = '/cities/near?lat=47.36667&lng=8.55&km=1&limit=1';
    for (const path of [PAGE, SEARCH, near]) await population(path);
    const { body } = await atlas.patch<City>(PAGE, { population: 500_000 });
    expect(body).toMatchObject({ id: ZURICH, population: 500_000 });
    for (const path of [PAGE, SEARCH, near]) expect(await population(path)).toBe(500_000);
  });

  it('is not asked of Redis again while it is here', async () => {
    await keptHere(SEARCH);
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    await population(SEARCH);
    const commands = await admin.info('commandstats');
    expect(commands).not.toMatch(/cmdstat_(?:mget|get|zrange):/);
    // The search itself is counted.
    expect(commands).toMatch(/cmdstat_evalsha:calls=1,/);
  });

  it('outlives Redis for a while', async () => {
    const before = (await atlas.get<City>(PAGE)).body;
    await keptHere(PAGE);
    await server.kill();
    const { status, body } = await atlas.get<City>(PAGE);
    expect({ status, body }).toEqual({ status: 200, body: before });
  });

  it('is not out of date in another replica 100 ms after a change', async () => {
    const replica = await RunningAtlas.start({ redis: server.options });
    try {
      for (let change = 1; change <= 5; change++) {
        await replica.get(SEARCH);
        await atlas.patch(PAGE, { population: 600_000 + change });
        await new Promise((resolve) => setTimeout(resolve, 100));
        const { body } = await replica.get<City[]>(SEARCH);
        expect(body[0]!.population).toBe(600_000 + change);
      }
    } finally {
      await replica.close();
    }
  });

  it('does not keep what does not exist, nor take what is no population', async () => {
    expect((await atlas.get('/cities/1')).status).toBe(404);
    await (await server.admin()).set(cityKeys.city(1), JSON.stringify({ id: 1 }));
    expect((await atlas.get('/cities/1')).status).toBe(200);
    expect((await atlas.patch(PAGE, { population: -1 })).status).toBe(400);
    expect((await atlas.patch('/cities/2', { population: 1 })).status).toBe(404);
  });
});
