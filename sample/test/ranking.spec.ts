import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { Ranking } from '../cities/visits/visits.dto.js';
import { RunningAtlas } from './atlas.fixture.js';
import { VADUZ, ZURICH } from './city-data.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';
import { until } from './until.fixture.js';

const RANKS = 'Ranks the cities from now on';

describe('the ranking of the day', () => {
  let server: RedisServer;
  let logger: RecordingLogger;
  const running: RunningAtlas[] = [];

  beforeEach(async () => {
    logger = new RecordingLogger();
    server = await startRedis();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((atlas) => atlas.close()));
    await server.stop();
  });

  async function start(): Promise<RunningAtlas> {
    const atlas = await RunningAtlas.start({ redis: server.options, logger });
    running.push(atlas);
    return atlas;
  }

  const rankingOf = async (atlas: RunningAtlas, query = '') =>
    (await atlas.get<Ranking>(`/cities/top/today${query}`)).body;

  it('is made anew every few seconds by one replica, and given by each', async () => {
    const first = await start();
    const second = await start();
    for (const id of [VADUZ, ZURICH, ZURICH]) await first.post(`/cities/${id}/visits`);

    await until(async () => (await rankingOf(second)).cities.length === 2);
    expect(await rankingOf(second)).toEqual({
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      refreshedAt: expect.any(String),
      cities: [
        expect.objectContaining({ id: ZURICH, name: 'Zürich', visits: 2 }),
        expect.objectContaining({ id: VADUZ, name: 'Vaduz', visits: 1 }),
      ],
    });
    expect((await rankingOf(first, '?limit=1')).cities).toHaveLength(1);
    expect((await first.get('/cities/top/today?limit=0')).status).toBe(400);
    expect(logger.with(RANKS)).toHaveLength(1);
  });

  it('is taken over by another replica when the one that makes it stops', async () => {
    const first = await start();
    await until(() => logger.with(RANKS).length === 1);
    const second = await start();
    expect(logger.with(RANKS)).toHaveLength(1);

    await first.close();
    expect(logger.with('No longer ranks')).toHaveLength(1);
    await until(() => logger.with(RANKS).length === 2);
    await second.post(`/cities/${ZURICH}/visits`);
    await until(async () => (await rankingOf(second)).cities.length === 1);
  });
});
