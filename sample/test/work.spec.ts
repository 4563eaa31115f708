import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { WorkItem } from '../work/work.dto.js';
import { workKeys } from '../work/work.keys.js';
import { type Answer, RunningAtlas } from './atlas.fixture.js';
import { VADUZ, ZURICH } from './city-data.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';
import { until } from './until.fixture.js';

function queue(running: RunningAtlas, cityId: unknown): Promise<Answer<WorkItem>> {
  return running.post('/work', { cityId });
}

async function finished(running: RunningAtlas, id: string): Promise<WorkItem> {
  return (await running.get<WorkItem>(`/work/${id}?wait=15`)).body;
}

describe('work', () => {
  let server: RedisServer;
  let logger: RecordingLogger;
  let atlas: RunningAtlas | undefined;

  beforeEach(async () => {
    // What is written survives the server's end, as it does in production.
    server = await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } });
    logger = new RecordingLogger();
  });

  afterEach(async () => {
    await atlas?.close();
    atlas = undefined;
    await server.stop();
  });

  const start = async (options: Pick<RedisModuleOptions, 'shutdownTimeout'> = {}) =>
    (atlas = await RunningAtlas.start({ redis: { ...server.options, ...options }, logger }));

  /** An item as a worker leaves it that took it and then crashed. */
  async function crashedItem(cityId: number): Promise<string> {
    const id = randomUUID();
    const admin = await server.admin();
    await admin.hset(workKeys.item(id), { cityId, state: 'queued' });
    await admin.lpush(workKeys.processing, id);
    return id;
  }

  it('is queued, done and can be read', async () => {
    const running = await start();
    const { status, body } = await queue(running, ZURICH);
    expect(status).toBe(202);
    expect(body).toEqual({ id: expect.any(String), cityId: ZURICH, state: 'queued' });

    const item = await finished(running, body.id);
    expect(item).toMatchObject({ id: body.id, cityId: ZURICH, state: 'done' });
    expect(item.neighbours).toHaveLength(10);
    expect(item.neighbours!.map(({ id }) => id)).not.toContain(ZURICH);
    const distances = item.neighbours!.map(({ distanceKm }) => distanceKm);
    expect(distances).toEqual(distances.toSorted((one, other) => one - other));
  });

  it('leaves the lists empty, and expires after a day', async () => {
    const running = await start();
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await queue(running, VADUZ)).body.id),
    );
    const items = await Promise.all(ids.map((id) => finished(running, id)));
    expect(items.every(({ state }) => state === 'done')).toBe(true);
    const admin = await server.admin();
    expect(await admin.exists(workKeys.queue, workKeys.processing)).toBe(0);
    expect(await admin.ttl(workKeys.item(ids[0]!))).toBeGreaterThan(23 * 60 * 60);
  });

  it('answers at once where nothing has to be waited for', async () => {
    const running = await start();
    const { body } = await queue(running, ZURICH);
    await finished(running, body.id);
    const before = performance.now();
    expect((await finished(running, body.id)).state).toBe('done');
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('says that it is queued when the wait is over', async () => {
    const running = await start();
    const id = randomUUID();
    await (await server.admin()).hset(workKeys.item(id), { cityId: ZURICH, state: 'queued' });
    expect((await running.get<WorkItem>(`/work/${id}?wait=0.2`)).body).toEqual({
      id,
      cityId: ZURICH,
      state: 'queued',
    });
  });

  it('fails without stopping the rest', async () => {
    const running = await start();
    const id = await crashedItem(1); // there is no such city
    await (await server.admin()).lmove(workKeys.processing, workKeys.queue, 'LEFT', 'RIGHT');
    expect(await finished(running, id)).toEqual({ id, cityId: 1, state: 'failed' });
    expect((await finished(running, (await queue(running, ZURICH)).body.id)).state).toBe('done');
    expect(logger.with(`Item ${id} failed`)).toHaveLength(1);
  });

  it('is done after the crash of the worker that had taken it, the oldest first', async () => {
    const ids = [await crashedItem(VADUZ), await crashedItem(ZURICH)];
    const finishedIds: string[] = [];
    const subscriber = (await server.admin()).duplicate();
    try {
      subscriber.on('message', (_channel, id: string) => finishedIds.push(id));
      await subscriber.subscribe(workKeys.finished);
      await start();
      await until(() => finishedIds.length === 2);
      expect(finishedIds).toEqual(ids);
      expect(logger.with('2 items that were taken and not finished')).toHaveLength(1);
      expect(await (await server.admin()).exists(workKeys.processing)).toBe(0);
    } finally {
      subscriber.disconnect();
    }
  });

  it('drops an id whose item has expired', async () => {
    const admin = await server.admin();
    await admin.lpush(workKeys.queue, randomUUID());
    const running = await start();
    expect((await finished(running, (await queue(running, ZURICH)).body.id)).state).toBe('done');
    expect(await admin.exists(workKeys.processing)).toBe(0);
  });

  it('goes on when Redis comes back, and has said so once', async () => {
    const running = await start();
    await finished(running, (await queue(running, ZURICH)).body.id);
    await server.kill();
    await until(() => logger.with('Work pauses').length > 0);
    await sleep(2_500); // long enough for further tries
    await server.restart();

    await until(async () => (await queue(running, VADUZ)).status === 202);
    const { body } = await queue(running, VADUZ);
    expect((await finished(running, body.id)).state).toBe('done');
    expect(logger.with('Work pauses')).toHaveLength(1);
    expect(logger.with('Work goes on')).toHaveLength(1);
  });

  it('does not hold up a shutdown, nor do those who wait for it', async () => {
    const running = await start();
    const id = randomUUID();
    await (await server.admin()).hset(workKeys.item(id), { cityId: ZURICH, state: 'queued' });
    const waiting = running.get<WorkItem>(`/work/${id}?wait=30`);
    await sleep(200);
    const before = performance.now();
    await running.close();
    expect(performance.now() - before).toBeLessThan(5_000);
    expect((await waiting).status).toBe(200);
    atlas = undefined;
  });

  it('stops in time while Redis does not answer', async () => {
    // By default the connection has 5 seconds to close; the worker and the subscriptions are waited for before.
    const running = await start({ shutdownTimeout: '1s' });
    server.pause();
    const before = performance.now();
    await running.close();
    expect(performance.now() - before).toBeLessThan(12_000);
    atlas = undefined;
    server.resume();
  });

  it('answers 404 for what does not exist, and 400 to what is not valid', async () => {
    const running = await start();
    expect((await queue(running, 1)).status).toBe(404);
    expect((await running.get(`/work/${randomUUID()}`)).status).toBe(404);
    for (const cityId of [undefined, null, '2657896', 1.5, 0, -1, [ZURICH]]) {
      expect((await queue(running, cityId)).status).toBe(400);
    }
    expect((await running.get('/work/1')).status).toBe(400);
    expect((await running.get(`/work/${randomUUID()}?wait=31`)).status).toBe(400);
    expect((await running.get(`/work/${randomUUID()}?wait=`)).status).toBe(400);
    expect((await running.post('/work', { cityId: ZURICH, more: 1 })).status).toBe(400);
  });
});
