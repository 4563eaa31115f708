import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { LockService } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { cityKeys } from '../cities/cities.keys.js';
import type { City } from '../cities/city.dto.js';
import { CitySource } from '../cities/import/city-source.js';
import type { Import } from '../cities/import/import.dto.js';
import { IMPORT_QUEUE } from '../cities/import/import.queue.js';
import { RunningAtlas } from './atlas.fixture.js';
import { allCities, fewCities, FixedSource, VADUZ, ZURICH } from './city-data.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';
import { until } from './until.fixture.js';

const FULL_IMPORT = 90_000;

describe('import', () => {
  let server: RedisServer;
  let logger: RecordingLogger;
  const running: RunningAtlas[] = [];

  beforeEach(async () => {
    server = await startRedis();
    logger = new RecordingLogger();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((atlas) => atlas.close()));
    await server.stop();
  });

  async function start(source: CitySource): Promise<RunningAtlas> {
    const atlas = await RunningAtlas.start({ redis: server.options, source, logger });
    running.push(atlas);
    return atlas;
  }

  it(
    'writes all cities and their indexes, in less than 150 MB, and tells of each quarter',
    async () => {
      const cities = allCities();
      expect(cities).toHaveLength(135_233);
      await start(new FixedSource(cities));

      const admin = await server.admin();
      expect(await admin.zcard(cityKeys.positions)).toBe(cities.length);
      expect(await admin.zcard(cityKeys.population('world'))).toBe(cities.length);
      expect(await admin.zcard(cityKeys.population('CH'))).toBe(
        cities.filter(({ country }) => country === 'CH').length,
      );
      const tiers = await Promise.all([0, 1, 2].map((tier) => admin.zcard(cityKeys.names('world', tier))));
      expect(tiers.reduce((sum, size) => sum + size, 0)).toBe(cities.length);
      const memory = /used_memory_dataset:(\d+)/.exec(await admin.info('memory'))![1];
      expect(Number(memory)).toBeLessThan(150 * 1024 * 1024);
      expect(logger.with('Importing cities').map((line) => /(\d+) %/.exec(line)![1])).toEqual([
        '25',
        '50',
        '75',
        '100',
      ]);
    },
    FULL_IMPORT,
  );

  it('is left out where the cities are there', async () => {
    const source = new FixedSource(fewCities());
    await start(source);
    const atlas = await start(source);
    expect(source.reads).toBe(1);
    expect((await atlas.get(`/cities/${ZURICH}`)).status).toBe(200);
    expect(logger.with('are in Redis already')).toHaveLength(1);
  });

  it('is repeated where it was interrupted', async () => {
    const source = new FixedSource(fewCities());
    await start(source);
    const admin = await server.admin();
    await admin.del(cityKeys.imported, cityKeys.city(VADUZ));
    await admin.zrem(cityKeys.positions, VADUZ);

    const atlas = await start(source);
    expect(source.reads).toBe(2);
    expect((await atlas.get(`/cities/${VADUZ}`)).status).toBe(200);
    expect(await admin.zcard(cityKeys.positions)).toBe(fewCities().length);
  });

  it('is made anew for another edition, in which a city has another name', async () => {
    const cities = fewCities();
    await start(new FixedSource(cities, '1'));
    const renamed = cities.map((city) =>
      city.id === VADUZ ? Object.assign({}, city, { name: 'Farduz', population: 6_000 }) : city,
    );
    const atlas = await start(new FixedSource(renamed, '2'));

    expect((await atlas.get('/cities?q=vaduz')).body).toEqual([]);
    expect((await atlas.get('/cities?q=farduz')).body).toEqual([
      expect.objectContaining({ id: VADUZ, name: 'Farduz', population: 6_000 }),
    ]);
  });

  it('is done by one of two replicas that start at once, and the other waits for it', async () => {
    const source = new FixedSource(fewCities());
    const [one, other] = await Promise.all([start(source), start(source)]);
    expect(source.reads).toBe(1);
    const [first, second] = await Promise.all(
      [one, other].map((atlas) => atlas.get<City[]>('/cities?limit=100')),
    );
    expect(first!.body).toHaveLength(100);
    expect(second!.body).toEqual(first!.body);
    expect(await (await server.admin()).zcard(cityKeys.positions)).toBe(fewCities().length);
  });

  it('is waited for where another replica is at it, however long that takes', async () => {
    const source = new FixedSource(fewCities());
    const first = await start(source);
    const admin = await server.admin();
    const marker = (await admin.getdel(cityKeys.imported))!;
    const lease = await first.app.get(LockService).acquire('import', { ttl: '300ms' });

    const second = start(source);
    await until(() => logger.with('waiting for it').length === 1);
    await admin.set(cityKeys.imported, marker);
    await lease.release();
    expect((await (await second).get(`/cities/${ZURICH}`)).status).toBe(200);
    expect(source.reads).toBe(1);
  });

  it('is a job of every night, the same for all replicas, and can be asked for', async () => {
    const source = new FixedSource(fewCities());
    const [atlas, other] = [await start(source), await start(source)];
    const queue = atlas.app.get<Queue>(getQueueToken(IMPORT_QUEUE));
    expect(await queue.getJobSchedulers()).toEqual([
      expect.objectContaining({ key: 'nightly', pattern: '0 3 * * *', tz: 'UTC' }),
    ]);
    await atlas.patch(`/cities/${VADUZ}`, { population: 1 });
    const { status, body } = await atlas.post<Import>('/imports');
    expect(status).toBe(202);
    const ended = async () => (await other.get<Import>(`/imports/${body.id}`)).body.state === 'done';
    await until(ended);

    expect((await other.get(`/imports/${body.id}`)).body).toEqual({
      id: body.id,
      state: 'done',
      done: fewCities().length,
      total: fewCities().length,
    });
    expect(source.reads).toBe(2);
    const vaduz = fewCities().find(({ id }) => id === VADUZ)!;
    expect((await other.get<City>(`/cities/${VADUZ}`)).body.population).toBe(vaduz.population);
    expect((await atlas.get('/imports/nobody-knows')).status).toBe(404);
  });

  it('knows the edition of the package', () => {
    expect(new CitySource().version).toMatch(/^\d+\.\d+\.\d+/);
  });
});
