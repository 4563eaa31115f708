import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type RedisCluster } from 'rednest/testing';
import type { Account } from '../accounts/accounts.dto.js';
import type { City, NearbyCity } from '../cities/city.dto.js';
import type { Ranking } from '../cities/visits/visits.dto.js';
import type { MaskedProfile } from '../payments/payments.dto.js';
import type { Tour } from '../tours/tours.dto.js';
import type { WorkItem } from '../work/work.dto.js';
import { RunningAtlas } from './atlas.fixture.js';
import { fewCities, VADUZ, ZURICH } from './city-data.fixture.js';
import { LiveFeedReader } from './live-feed.fixture.js';
import { until } from './until.fixture.js';

/** The same Atlas, with nothing changed but the address: what touches several keys has to keep to one slot. */
describe('Atlas on a Cluster', () => {
  let cluster: RedisCluster;
  let atlas: RunningAtlas;

  beforeAll(async () => {
    cluster = await startCluster();
    atlas = await RunningAtlas.start({ redis: cluster.options });
  }, 60_000);

  afterAll(async () => {
    await atlas?.close();
    await cluster?.stop();
  });

  it('has the cities on all masters', async () => {
    const masters = await cluster.masters();
    const sizes = await Promise.all(masters.map(async (master) => (await master.admin()).dbsize()));
    expect(sizes).toHaveLength(3);
    for (const size of sizes) expect(size).toBeGreaterThan(fewCities().length / 5);
  });

  it('finds cities', async () => {
    expect((await atlas.get(`/cities/${ZURICH}`)).body).toMatchObject({ name: 'Zürich' });
    expect((await atlas.get<City[]>('/cities?limit=100')).body).toHaveLength(100);
    expect((await atlas.get<City[]>('/cities?q=zurich&country=ch')).body[0]).toMatchObject({ id: ZURICH });
    const near = await atlas.get<NearbyCity[]>('/cities/near?lat=47.37&lng=8.54&km=20&limit=100');
    expect(near.body).toHaveLength(100);
    expect(near.body).toContainEqual(expect.objectContaining({ id: ZURICH }));
  });

  it('counts visits', async () => {
    expect((await atlas.post(`/cities/${ZURICH}/visits`)).status).toBe(202);
    await until(async () => (await atlas.get<unknown[]>('/cities/top')).body.length === 1);
    expect((await atlas.get('/cities/top')).body).toEqual([
      expect.objectContaining({ id: ZURICH, visits: 1 }),
    ]);
    expect((await atlas.get(`/cities/${ZURICH}/visits`)).body).toMatchObject({
      visits: 1,
      days: [{ visits: 1 }],
    });
  });

  it('shows visits in the live feed', async () => {
    await using feed = await LiveFeedReader.open(atlas);
    await until(async () => {
      await atlas.post(`/cities/${VADUZ}/visits`);
      return feed.views.length > 0;
    });
    expect(feed.views[0]).toMatchObject({ id: VADUZ, name: 'Vaduz' });
  });

  it('combines tags', async () => {
    await atlas.put(`/cities/${ZURICH}/tags`, { tags: ['lake', 'museum'] });
    await atlas.put(`/cities/${VADUZ}/tags`, { tags: ['capital', 'museum'] });
    const tagged = await atlas.get<City[]>('/cities/tagged?all=museum&any=lake,capital&none=lake');
    expect(tagged.body.map(({ id }) => id)).toEqual([VADUZ]);
  });

  it('sells the places of a tour', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        atlas.post('/tours/zurich-old-town/bookings', { guest: `Guest ${index}`, places: 1 }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect((await atlas.get<Tour[]>('/tours')).body).toContainEqual(
      expect.objectContaining({ id: 'zurich-old-town', placesLeft: 0 }),
    );
    expect((await atlas.post('/tours/nightly')).body).toEqual({ ran: true, moved: 0 });
  });

  it('finds payment profiles by the card', async () => {
    const billingAddress = { street: 'Städtle 1', postcode: '9490', city: 'Vaduz', country: 'LI' };
    const cardNumber = '4111 1111 1111 1111';
    const profiles = Array.from({ length: 10 }, (_, index) => {
      return { holder: `Guest ${index}`, cardNumber, expires: '2030-12', billingAddress };
    });
    await Promise.all(profiles.map((profile) => atlas.post('/payments/profiles', profile)));
    const found = await atlas.post<MaskedProfile[]>('/payments/profiles/search', { cardNumber });
    expect(found.body.map(({ holder }) => holder).toSorted()).toEqual(profiles.map(({ holder }) => holder));
  });

  it('ranks the cities of the day', async () => {
    await until(async () => (await atlas.get<Ranking>('/cities/top/today')).body.cities.length === 2);
  });

  it('does work', async () => {
    const { status, body } = await atlas.post<WorkItem>('/work', { cityId: ZURICH });
    expect(status).toBe(202);
    const item = (await atlas.get<WorkItem>(`/work/${body.id}?wait=10`)).body;
    expect(item.state).toBe('done');
    expect(item.neighbours).toHaveLength(10);
  });

  it.each(['watch', 'script'])('keeps the sum while 200 transfers via %s compete', async (via) => {
    const names = ['alice', 'bob'] as const;
    await Promise.all(names.map((id) => atlas.put(`/accounts/${id}`, { balance: 1_000 })));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        atlas.post(`/accounts/transfer?via=${via}`, {
          from: names[index % 2],
          to: names[(index + 1) % 2],
          amount: 30,
        }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    const accounts = await Promise.all(names.map((id) => atlas.get<Account>(`/accounts/${id}`)));
    expect(accounts.reduce((sum, { body }) => sum + body.balance, 0)).toBe(2_000);
  });
});
