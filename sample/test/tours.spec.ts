import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import { fencedWrite, fenceKey, getRedisToken, LockService } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { DAY, dateOf } from '../common/date.js';
import { catalogue } from '../tours/tours.catalogue.js';
import type { Booking, Tour } from '../tours/tours.dto.js';
import { tourKey, tourLock } from '../tours/tours.keys.js';
import { RunningAtlas, type Answer } from './atlas.fixture.js';
import { allCities } from './city-data.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';
import { until } from './until.fixture.js';

const TOUR = 'zurich-old-town';
const PLACES = 20;
const DONE = 'The nightly job is done: 2 tours';

describe('tours', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;
  let replica: RunningAtlas;

  const logger = new RecordingLogger();

  beforeAll(async () => {
    server = await startRedis();
    [atlas, replica] = await Promise.all([
      RunningAtlas.start({ redis: server.options, logger }),
      RunningAtlas.start({ redis: server.options, logger }),
    ]);
  });

  beforeEach(async () => {
    const admin = await server.admin();
    await admin.del(fenceKey(tourKey(TOUR)));
    await admin.set(tourKey(TOUR), JSON.stringify({ date: daysFromNow(1), bookings: [] }));
  });

  afterAll(async () => {
    await Promise.all([atlas?.close(), replica?.close()]);
    await server?.stop();
  });

  const book = (guest: string, places: number, by = atlas) =>
    by.post<Booking>(`/tours/${TOUR}/bookings`, { guest, places });
  const cancel = (guest: string) =>
    atlas.delete<Tour>(`/tours/${TOUR}/bookings/${encodeURIComponent(guest)}`);
  const placesLeft = async () => (await replica.get<Tour>(`/tours/${TOUR}`)).body.placesLeft;

  it('are those of the catalogue, in cities that exist, each with a date to come and free places', async () => {
    const { status, body } = await atlas.get<Tour[]>('/tours');
    expect(status).toBe(200);
    expect(body.map(({ id }) => id).toSorted()).toEqual(catalogue.map(({ id }) => id).toSorted());
    expect(body.map(({ date }) => date)).toEqual(body.map(({ date }) => date).toSorted());
    const cities = new Map(allCities().map(({ id, name }) => [id, name]));
    for (const { date, places, placesLeft: left, cityId, city } of body) {
      expect(date > daysFromNow(0)).toBe(true);
      expect(left).toBe(places);
      expect(city).toBe(cities.get(cityId));
    }
  });

  it('have places, which can be booked and given back', async () => {
    const { status, body } = await book("Anna O'Hara", 2);
    expect(status).toBe(201);
    expect(body).toEqual({
      guest: "Anna O'Hara",
      places: 2,
      tour: expect.objectContaining({ id: TOUR, city: 'Zürich', places: PLACES, placesLeft: 18 }),
    });
    expect(await placesLeft()).toBe(18);
    expect((await cancel("Anna O'Hara")).body).toMatchObject({ id: TOUR, placesLeft: PLACES });
    expect((await cancel("Anna O'Hara")).status).toBe(404);
  });

  it('have a guest once: who books again has as many places as were asked for last', async () => {
    await book('Alice', 19);
    await book('Alice', 20);
    expect(await placesLeft()).toBe(0);
    await book('Alice', 1);
    expect(await placesLeft()).toBe(19);
  });

  it('are not sold beyond their places', async () => {
    await book('Alice', 18);
    const refused = await book('Bob', 3);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ error: 'Conflict', message: `Tour ${TOUR} has 2 places left` });
    expect((await book('Bob', 2)).status).toBe(201);
    expect((await book('Carol', 1)).body).toMatchObject({ message: `Tour ${TOUR} is sold out` });
  });

  it('are sold to the last place, and not one more, when 200 book at once in two replicas', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => book(`Guest ${index}`, 1, index % 2 ? atlas : replica)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(PLACES);
    // On a busy machine the last ones may be told that it takes too long.
    expect(statuses.filter((status) => ![201, 409, 423].includes(status))).toEqual([]);
    const told = answers.filter(({ status }) => status === 201).map(({ body }) => body.tour.placesLeft);
    expect(told.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: PLACES }, (_, left) => left),
    );
    expect(await placesLeft()).toBe(0);
  });

  it('answer 423, and when to come back, to who is not let in', async () => {
    const lease = await replica.app.get(LockService).acquire(tourLock(TOUR));
    const answers: Answer<unknown>[] = await Promise.all([book('Alice', 1), cancel('Alice')]);
    await lease.release();
    for (const { status, headers, body } of answers) {
      expect(status).toBe(423);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(body).toEqual({ statusCode: 423, error: 'Locked', message: expect.any(String) });
    }
    expect((await book('Alice', 1)).status).toBe(201);
  });

  it('are not written by who lost the lock to another while it was paused', async () => {
    const value = JSON.stringify({ date: daysFromNow(1), bookings: [{ guest: 'Bob', places: PLACES - 1 }] });
    const later = { key: tourKey(TOUR), value, fence: Number.MAX_SAFE_INTEGER };
    await fencedWrite.run(replica.app.get(getRedisToken()), later);
    expect((await book('Alice', 1)).status).toBe(409);
    expect(await placesLeft()).toBe(1);
  });

  it('that have taken place can no longer be booked', async () => {
    const admin = await server.admin();
    await admin.set(tourKey(TOUR), JSON.stringify({ date: daysFromNow(-1), bookings: [] }));
    expect((await book('Alice', 1)).status).toBe(409);
  });

  it('get their next date by night, from one of two replicas, and lose their bookings', async () => {
    const admin = await server.admin();
    const past = { date: daysFromNow(-3), bookings: [{ guest: 'Alice', places: 5 }] };
    await admin.mset({
      [tourKey(TOUR)]: JSON.stringify(past),
      [tourKey('vaduz-castle')]: JSON.stringify(past),
    });
    // What the timer of each replica does.
    for (const { app } of [atlas, replica]) {
      const jobs = [...app.get(SchedulerRegistry).getCronJobs().values()];
      expect(jobs.map(({ cronTime }) => cronTime.source)).toEqual(['5 0 * * *']);
      await jobs[0]!.fireOnTick();
    }
    await until(() => logger.with(DONE).length > 0);
    const dates = { [TOUR]: daysFromNow(0), 'vaduz-castle': daysFromNow(4) };
    for (const [id, date] of Object.entries(dates)) {
      const { body } = await atlas.get<Tour>(`/tours/${id}`);
      expect(body).toMatchObject({ date, placesLeft: body.places });
    }
    // Nor does who comes a little late.
    for (const late of [atlas, replica])
      expect((await late.post('/tours/nightly')).body).toEqual({ ran: false, moved: 0 });
    expect(logger.with(DONE)).toHaveLength(1);
  });

  it('are left alone by a nightly job that has lost its lock', async () => {
    const admin = await server.admin();
    const locks = atlas.app.get(LockService);
    await locks.forceRelease('nightly', { reason: 'it was done a moment ago' });
    const past = { date: daysFromNow(-3), bookings: [] };
    for (const { id } of catalogue) await admin.set(tourKey(id), JSON.stringify(past));
    const [first, second, ...others] = catalogue.map(({ id }) => id);
    const change = await locks.acquire(tourLock(second!));
    const job = atlas.post('/tours/nightly');
    await until(async () => (await locks.inspect(tourLock(second!))).waiters.length === 1);
    await locks.forceRelease('nightly', { reason: 'another shall do it' });
    await change.release();
    expect((await job).status).toBe(500);
    const dateOfTour = async (id: string) => (await atlas.get<Tour>(`/tours/${id}`)).body.date;
    expect((await dateOfTour(first!)) >= daysFromNow(0)).toBe(true);
    for (const id of others) expect(await dateOfTour(id)).toBe(past.date);
  });

  it('that do not exist are answered with 404', async () => {
    expect((await atlas.get('/tours/atlantis')).status).toBe(404);
    expect((await atlas.post('/tours/atlantis/bookings', { guest: 'Alice', places: 1 })).status).toBe(404);
    expect((await atlas.delete('/tours/atlantis/bookings/Alice')).status).toBe(404);
  });

  it.each([
    {},
    { guest: 'Alice' },
    { places: 1 },
    { guest: '', places: 1 },
    { guest: ' Alice', places: 1 },
    { guest: '__proto__', places: 1 },
    { guest: 'x'.repeat(65), places: 1 },
    { guest: 'Alice', places: 0 },
    { guest: 'Alice', places: 1.5 },
    { guest: 'Alice', places: '1' },
    { guest: 'Alice', places: 101 },
    { guest: 'Alice', places: 1, more: 1 },
  ])('answer 400 to %j', async (body) => {
    expect((await atlas.post(`/tours/${TOUR}/bookings`, body)).status).toBe(400);
  });

  it.each(['A', 'a:b', 'a%7Bb', 'x'.repeat(65)])('answer 400 to the id %s', async (id) => {
    expect((await atlas.get(`/tours/${id}`)).status).toBe(400);
    expect((await atlas.post(`/tours/${id}/bookings`, { guest: 'Alice', places: 1 })).status).toBe(400);
  });
});

function daysFromNow(days: number): string {
  return dateOf(Date.now() + days * DAY);
}
