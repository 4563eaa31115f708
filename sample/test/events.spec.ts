import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventBus } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { VisitHistory } from '../cities/visits/visits.dto.js';
import { RunningAtlas } from './atlas.fixture.js';
import { VADUZ, ZURICH } from './city-data.fixture.js';
import { LiveFeedReader } from './live-feed.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';
import { until } from './until.fixture.js';

describe('events between two replicas', () => {
  let server: RedisServer;
  /** Of both: Nest has one logger in a process. */
  let logger: RecordingLogger;
  let here: RunningAtlas;
  let there: RunningAtlas;

  beforeEach(async () => {
    server = await startRedis();
    logger = new RecordingLogger();
    here = await RunningAtlas.start({ redis: server.options, logger });
    there = await RunningAtlas.start({ redis: server.options, logger });
  });

  afterEach(async () => {
    await Promise.all([here?.close(), there?.close()]);
    await server?.stop();
  });

  const visit = (by: RunningAtlas, id: number) => by.post(`/cities/${id}/visits`);

  const visitsOf = async (at: RunningAtlas, id: number) =>
    (await at.get<VisitHistory>(`/cities/${id}/visits`)).body.visits;

  /** Whether no view is left to be counted. */
  async function isCounted({ app }: RunningAtlas): Promise<boolean> {
    const { groups } = await app.get(EventBus).stats();
    return groups.length === 1 && groups.every(({ lag, pending }) => lag + pending === 0);
  }

  /** Visits a city until the feed shows it: a feed begins a moment after its answer has begun. @returns how often */
  async function visitUntilShown(by: RunningAtlas, id: number, feed: LiveFeedReader): Promise<number> {
    let visits = 0;
    await until(async () => {
      if (feed.views.some((view) => view.id === id)) return true;
      visits++;
      await visit(by, id);
      return false;
    });
    return visits;
  }

  describe('a visit', () => {
    it('appears in the live feed of each, and is counted once', async () => {
      await using feedHere = await LiveFeedReader.open(here);
      await using feedThere = await LiveFeedReader.open(there);
      expect(feedThere.response.statusCode).toBe(200);
      expect(feedThere.response.headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': expect.stringContaining('no-store'),
      });
      const first = await visitUntilShown(here, ZURICH, feedThere);
      expect(feedThere.views[0]).toEqual({ id: ZURICH, name: 'Zürich', country: 'CH', population: 341_730 });
      const second = await visitUntilShown(there, VADUZ, feedHere);
      await until(() => isCounted(here));
      for (const replica of [here, there])
        expect([await visitsOf(replica, ZURICH), await visitsOf(replica, VADUZ)]).toEqual([first, second]);
    });

    it('is counted by another when the replica that took it has stopped', async () => {
      await visit(there, ZURICH);
      await there.close();
      await visit(here, ZURICH);
      await until(() => isCounted(here));
      expect(await visitsOf(here, ZURICH)).toBe(2);
    });
  });

  describe('the live feed', () => {
    it('ends when the replica shuts down, and does not hold that up', async () => {
      const feed = await LiveFeedReader.open(there);
      await visitUntilShown(here, ZURICH, feed);
      await there.close();
      await feed.ended;
    });
  });

  describe('an update', () => {
    const UPDATED = `Zürich (${ZURICH}) was updated: population 450000`;
    const update = (by: RunningAtlas, population: number) => by.patch(`/cities/${ZURICH}`, { population });

    it('is logged by each, and what they keep in memory is dropped', async () => {
      await using feed = await LiveFeedReader.open(there);
      await visitUntilShown(here, ZURICH, feed);
      await update(here, 450_000);
      await until(() => logger.with(UPDATED).length === 2);
      await visit(here, ZURICH);
      await until(() => feed.views.at(-1)?.population === 450_000);
    });

    it('that may have been missed is made up for', async () => {
      await using feed = await LiveFeedReader.open(there);
      await visitUntilShown(here, ZURICH, feed);
      const admin = await server.admin();
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until(() => logger.with('may have been missed').length === 2);
      await update(here, 460_000);
      await until(async () => {
        await visit(here, ZURICH);
        return feed.views.at(-1)?.population === 460_000;
      });
    });
  });
});
