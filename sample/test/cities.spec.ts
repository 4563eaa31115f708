import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { City, NearbyCity } from '../cities/city.dto.js';
import { RunningAtlas } from './atlas.fixture.js';
import { allCities, FixedSource, ZURICH } from './city-data.fixture.js';

const cities = allCities();
let server: RedisServer;
let atlas: RunningAtlas;

beforeAll(async () => {
  server = await startRedis();
  atlas = await RunningAtlas.start({ redis: server.options, source: new FixedSource(cities) });
}, 90_000);

afterAll(async () => {
  await atlas?.close();
  await server?.stop();
});

describe('GET /cities/:id', () => {
  it('gives a city', async () => {
    const { status, body } = await atlas.get(`/cities/${ZURICH}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: ZURICH,
      name: 'Zürich',
      country: 'CH',
      population: 341_730,
      latitude: 47.36667,
      longitude: 8.55,
      featureCode: 'PPLA',
      adminCode: 'ZH',
    });
  });

  it.each(['1', '-1', '0', '99999999999999999999'])('answers 404 for %s, which no city has', async (id) => {
    const { status, body } = await atlas.get(`/cities/${id}`);
    expect(status).toBe(404);
    expect(body).toMatchObject({ statusCode: 404, error: 'Not Found' });
  });

  it.each(['abc', '1.5', `${ZURICH}:tags`, '%7B1%7D'])(
    'answers 400 for %s, which is no whole number',
    async (id) => {
      const { status, body } = await atlas.get(`/cities/${id}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ statusCode: 400 });
    },
  );
});

describe('GET /cities', () => {
  it.each(['zürich', 'zurich', 'ZURICH', 'ZüRiCh', 'Zu\u0308rich', 'zuric', ' zurich', 'zurich\0'])(
    'finds Zürich as %j',
    async (q) => {
      expect((await search({ q }))[0]).toMatchObject({ id: ZURICH, name: 'Zürich' });
    },
  );

  it.each([
    ['tromso', 'Tromsø'],
    ['lodz', 'Łódź'],
  ])('finds as %s what has letters, and not accents, of its own: %s', async (q, name) => {
    expect((await search({ q }))[0]).toMatchObject({ name });
  });

  it.each([
    ['san', 20],
    ['san', 100],
    ['sa', 100],
    ['new ', 100],
    ['saint-', 100],
    ['zurich', 100],
    ['c', 1],
  ])('finds the most populous that begin with %j, limit %d', async (q, limit) => {
    expect(ids(await search({ q, limit: String(limit) }))).toEqual(expectedIds(q, limit));
  });

  it.each([
    ['san', 'MX'],
    ['be', 'CH'],
    ['zurich', 'DE'],
  ])('finds what begins with %s in %s', async (q, country) => {
    expect(ids(await search({ q, country, limit: '100' }))).toEqual(expectedIds(q, 100, country));
  });

  it.each(['zzzzz', '*', '[a', '(', '+', '\u{10ffff}'])(
    'finds nothing where nothing begins with %j',
    async (q) => {
      expect(await search({ q })).toEqual([]);
    },
  );

  it('lists the most populous of a country, in whatever case it is written', async () => {
    const found = await search({ country: 'ch', limit: '5' });
    expect(found.map(({ name }) => name)).toEqual(['Zürich', 'Genève', 'Basel', 'Bern', 'Lausanne']);
  });

  it('knows Kosovo, whose code is not one of ISO', async () => {
    expect((await search({ country: 'XK', limit: '1' }))[0]).toMatchObject({ country: 'XK' });
  });

  it.each([{}, { q: '' }, { q: '  ' }])('lists the 20 most populous of the world for %j', async (query) => {
    expect(ids(await search(query))).toEqual(expectedIds('', 20));
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=',
    'limit=ten',
    'limit=1&limit=2',
    'country=ZZ',
    'country=CHE',
    'country=',
    'country=C*',
    `q=${'a'.repeat(101)}`,
    'q=a&q=b',
    'q[a]=b',
    'unknown=1',
  ])('answers 400 to ?%s', async (query) => {
    const { status, body } = await atlas.get(`/cities?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ statusCode: 400, error: 'Bad Request', message: expect.any(Array) });
  });
});

describe('GET /cities/near', () => {
  it('gives cities by distance, with the distance', async () => {
    const point = { lat: 47.37, lng: 8.54 };
    const found = await near('lat=47.37&lng=8.54&km=20&limit=1000');
    expect(found).toContainEqual(expect.objectContaining({ id: ZURICH, name: 'Zürich', country: 'CH' }));
    const distances = found.map((city) => city.distanceKm);
    expect(distances).toEqual(distances.toSorted((one, other) => one - other));
    for (const city of found) expect(city.distanceKm).toBeCloseTo(distanceKm(point, city), 1);
  });

  it.each([
    { lat: 47.37, lng: 8.54, km: 20 },
    { lat: -17, lng: 180, km: 300 },
    { lat: -17, lng: -180, km: 300 },
    { lat: -17, lng: 179.99, km: 300 },
    { lat: 85.05112878, lng: 16, km: 1_700 },
    { lat: -60, lng: -120, km: 100 },
  ])('leaves none out around %j', async ({ lat, lng, km }) => {
    const found = ids(await near(`lat=${lat}&lng=${lng}&km=${km}&limit=1000`));
    const within = (distance: number) =>
      ids(cities.filter((city) => distanceKm({ lat, lng }, city) < distance));
    // Redis keeps positions to about 0.6 m: what is that close to the edge may be in or out.
    expect(found).toEqual(expect.arrayContaining(within(km - 0.01)));
    expect(within(km + 0.01)).toEqual(expect.arrayContaining(found));
  });

  it('gives 50 unless told otherwise, and 1,000 at most', async () => {
    expect(await near('lat=47.37&lng=8.54&km=200')).toHaveLength(50);
    expect(await near('lat=47.37&lng=8.54&km=200&limit=3')).toHaveLength(3);
    expect(await near('lat=47.37&lng=8.54&km=20000&limit=1000')).toHaveLength(1_000);
  });

  it.each([
    '',
    'lat=47&lng=8',
    'lat=47&km=20',
    'lng=8&km=20',
    'lat=&lng=8&km=20',
    'lat=47&lng=8&km=0',
    'lat=47&lng=8&km=-1',
    'lat=47&lng=8&km=20001',
    'lat=47&lng=8&km=NaN',
    'lat=85.06&lng=8&km=20',
    'lat=-85.06&lng=8&km=20',
    'lat=47&lng=180.1&km=20',
    'lat=47&lng=-180.1&km=20',
    'lat=north&lng=8&km=20',
    'lat=47&lat=48&lng=8&km=20',
    'lat=47&lng=8&km=20&limit=0',
    'lat=47&lng=8&km=20&limit=1001',
    'lat=47&lng=8&km=20&unit=mi',
  ])('answers 400 to ?%s', async (query) => {
    const { status, body } = await atlas.get(`/cities/near?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ statusCode: 400, error: 'Bad Request', message: expect.any(Array) });
  });
});

async function search(query: Record<string, string>): Promise<City[]> {
  const { status, body } = await atlas.get<City[]>(`/cities?${new URLSearchParams(query).toString()}`);
  expect(status).toBe(200);
  return body;
}

async function near(query: string): Promise<NearbyCity[]> {
  const { status, body } = await atlas.get<NearbyCity[]>(`/cities/near?${query}`);
  expect(status).toBe(200);
  return body;
}

function ids(found: City[]): number[] {
  return found.map(({ id }) => id);
}

/** What a search should find, by another way: every city is looked at. */
function expectedIds(prefix: string, limit: number, country?: string): number[] {
  const matching = cities.filter((city) => withoutAccents(city.name).startsWith(prefix));
  const inCountry = country === undefined ? matching : matching.filter((city) => city.country === country);
  const byPopulation = inCountry.toSorted(
    (one, other) => other.population - one.population || one.id - other.id,
  );
  return ids(byPopulation.slice(0, limit));
}

function withoutAccents(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase();
}

/** Great-circle distance, on the sphere that Redis uses. */
function distanceKm({ lat, lng }: { lat: number; lng: number }, { latitude, longitude }: City): number {
  const u = Math.sin(radians(latitude - lat) / 2);
  const v = Math.sin(radians(longitude - lng) / 2);
  return (
    2 *
    6372.797560856 *
    Math.asin(Math.sqrt(u * u + Math.cos(radians(lat)) * Math.cos(radians(latitude)) * v * v))
  );
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
