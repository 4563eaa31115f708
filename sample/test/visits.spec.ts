import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { AcceptedVisit, VisitedCity, VisitHistory } from '../cities/visits/visits.dto.js';
import { visitKeys } from '../cities/visits/visits.keys.js';
import { RunningAtlas } from './atlas.fixture.js';
import { VADUZ, ZURICH } from './city-data.fixture.js';
import { until } from './until.fixture.js';

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

  const visit = (id: number) => atlas.post<AcceptedVisit>(`/cities/${id}/visits`);
  const visitsOf = async (id: number) => (await atlas.get<VisitHistory>(`/cities/${id}/visits`)).body.visits;
  const counted = (id: number, visits: number) => until(async () => (await visitsOf(id)) === visits);

  it('takes a visit, and counts it soon after', async () => {
    const { status, body } = await visit(ZURICH);
    expect([status, body]).toEqual([202, { id: ZURICH, view: expect.any(String) }]);
    await counted(ZURICH, 1);
    await visit(ZURICH);
    await counted(ZURICH, 2);
  });

  it('loses none of many at once', async () => {
    await Promise.all(Array.from({ length: 50 }, () => visit(ZURICH)));
    await counted(ZURICH, 50);
  });

  it('gives the most visited first', async () => {
    expect((await atlas.get('/cities/top')).body).toEqual([]);
    for (const id of [VADUZ, ZURICH, ZURICH]) await visit(id);
    await Promise.all([counted(VADUZ, 1), counted(ZURICH, 2)]);

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
    await visit(ZURICH);
    await counted(ZURICH, 17);

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
    await visit(ZURICH);
    await counted(ZURICH, 1);
    const admin = await server.admin();
    const remaining = await admin.pttl(visitKeys.day(today));
    expect(Date.now() + remaining).toBeCloseTo(Date.parse(today) + 41 * DAY, -4);
  });

  it('has nothing to tell of a city that nobody visited', async () => {
    expect((await atlas.get(`/cities/${VADUZ}/visits`)).body).toEqual({ id: VADUZ, visits: 0, days: [] });
  });

  it('answers 404 for a city that does not exist, and counts nothing', async () => {
    expect((await visit(1)).status).toBe(404);
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
