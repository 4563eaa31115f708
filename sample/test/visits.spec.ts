import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { VisitCount, VisitedCity, VisitHistory } from '../cities/visits/visits.dto.js';
import { visitKeys } from '../cities/visits/visits.keys.js';
import { RunningAtlas } from './atlas.fixture.js';
import { VADUZ, ZURICH } from './city-data.fixture.js';

const DAY = 24 * 60 * 60 * 1_000;

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
}

describe('visits', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;
  let today: string;

  beforeAll(async () => {
    server = await startRedis();
    atlas = await RunningAtlas.start({ redis: server.options });
  });

  beforeEach(async () => {
    today = daysAgo(0);
    const admin = await server.admin();
    await admin.del(visitKeys.leaderboard, visitKeys.day(today));
  });

  afterAll(async () => {
    await atlas?.close();
    await server?.stop();
  });

  it('counts each visit', async () => {
    const first = await atlas.post<VisitCount>(`/cities/${ZURICH}/visits`);
    expect([first.status, first.body]).toEqual([201, { id: ZURICH, visits: 1 }]);
    const second = await atlas.post<VisitCount>(`/cities/${ZURICH}/visits`);
    expect(second.body).toEqual({ id: ZURICH, visits: 2 });
  });

  it('loses none of many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => atlas.post<VisitCount>(`/cities/${ZURICH}/visits`)),
    );
    const counts = answers.map(({ body }) => body.visits).toSorted((one, other) => one - other);
    expect(counts).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('gives the most visited first', async () => {
    expect((await atlas.get('/cities/top')).body).toEqual([]);
    await atlas.post(`/cities/${VADUZ}/visits`);
    await atlas.post(`/cities/${ZURICH}/visits`);
    await atlas.post(`/cities/${ZURICH}/visits`);

    const { status, body } = await atlas.get<VisitedCity[]>('/cities/top');
    expect(status).toBe(200);
    expect(body).toEqual([
      expect.objectContaining({ id: ZURICH, name: 'Zürich', country: 'CH', population: 341_730, visits: 2 }),
      expect.objectContaining({ id: VADUZ, name: 'Vaduz', visits: 1 }),
    ]);
    expect((await atlas.get<VisitedCity[]>('/cities/top?limit=1')).body).toHaveLength(1);
  });

  it('keeps the days apart, for 40 days', async () => {
    const admin = await server.admin();
    await admin.hset(visitKeys.day(daysAgo(39)), ZURICH, 7);
    await admin.hset(visitKeys.day(daysAgo(40)), ZURICH, 9);
    await admin.zadd(visitKeys.leaderboard, 16, ZURICH);
    await atlas.post(`/cities/${ZURICH}/visits`);

    const { body } = await atlas.get<VisitHistory>(`/cities/${ZURICH}/visits`);
    expect(body).toEqual({
      id: ZURICH,
      visits: 17,
      days: [
        { date: today, visits: 1 },
        { date: daysAgo(39), visits: 7 },
      ],
    });
  });

  it("lets a day's counters expire when 40 days have passed since that day", async () => {
    await atlas.post(`/cities/${ZURICH}/visits`);
    const admin = await server.admin();
    const remaining = await admin.pttl(visitKeys.day(today));
    expect(Date.now() + remaining).toBeCloseTo(Date.parse(today) + 41 * DAY, -4);
  });

  it('has nothing to tell of a city that nobody visited', async () => {
    expect((await atlas.get(`/cities/${VADUZ}/visits`)).body).toEqual({ id: VADUZ, visits: 0, days: [] });
  });

  it('answers 404 for a city that does not exist, and counts nothing', async () => {
    expect((await atlas.post('/cities/1/visits')).status).toBe(404);
    expect((await atlas.get('/cities/1/visits')).status).toBe(404);
    expect((await atlas.get('/cities/top')).body).toEqual([]);
  });

  it('answers 400 to what is not valid', async () => {
    expect((await atlas.post('/cities/x/visits')).status).toBe(400);
    expect((await atlas.get('/cities/x/visits')).status).toBe(400);
    expect((await atlas.get('/cities/top?limit=0')).status).toBe(400);
    expect((await atlas.get('/cities/top?limit=101')).status).toBe(400);
  });
});
