import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventUnavailableError, type EventContext } from 'rednest';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupView, TOPIC, type Work } from './fixtures/groups.js';

const applications = new BusApplications();
const GROUP = 'workers';

const view = async () => new GroupView(await applications.server.admin(), applications.namespace);
const start = () => applications.start([], { options: FAST });

/** Counts each event once. */
class Handled {
  readonly #ids = new Set<string>();

  readonly handle = async ({ key, turn, hold = 0 }: Work): Promise<void> => {
    await sleep(hold);
    this.#ids.add(`${key} ${turn}`);
  };

  get count(): number {
    return this.#ids.size;
  }
}

describe('a group that is gone', () => {
  it.each([
    ['its streams are removed', (redis: GroupView) => redis.redis.del(...redis.streams)],
    [
      'it is destroyed',
      (redis: GroupView) =>
        Promise.all(redis.streams.map((each) => redis.redis.xgroup('DESTROY', each, GROUP))),
    ],
    ['all of Redis is', (redis: GroupView) => redis.redis.flushall()],
  ])('is made again where %s', async (_, remove) => {
    const handled = new Handled();
    const { bus, log } = await start();
    await bus.subscribe(TOPIC, handled.handle as never, { group: GROUP });
    await bus.publish(TOPIC, { key: 'before', turn: 0 });
    await eventually(() => handled.count === 1);
    const redis = await view();
    await remove(redis);
    await bus.publish(TOPIC, { key: 'after', turn: 0 });
    await eventually(() => handled.count === 2);
    for (const stream of redis.streams)
      await eventually(async () => (await redis.redis.xinfo('GROUPS', stream)) !== null);
    await eventually(async () => expect(await redis.pending(GROUP)).toBe(0));
    const warnings = log.lines.filter(({ level, text }) => level !== 'debug' && text.includes('made again'));
    expect(warnings).toHaveLength(1);
    // It does not go on and on: that would be thousands of calls a second, and renewing leases takes some hundred.
    await redis.redis.config('RESETSTAT');
    const since = performance.now();
    await sleep(1_000);
    const stats = await redis.redis.info('commandstats');
    const seconds = (performance.now() - since) / 1_000;
    const calls = [...stats.matchAll(/calls=(\d+)/g)].map(([, count]) => Number(count));
    expect(calls.reduce((sum, each) => sum + each, 0) / seconds).toBeLessThan(400);
  });
});

describe('while the memory of Redis is full', () => {
  it('nothing is published, what is there is handled, and what fails is not lost', async () => {
    const { redis } = await view();
    const handled = new Handled();
    const { bus } = await start();
    const failing = new Set(['bad']);
    const handle = async (work: Work, { attempt }: EventContext) => {
      if (failing.has(work.key)) throw new Error(`no ${attempt}`);
      await handled.handle(work);
    };
    const subscription = await bus.subscribe(TOPIC, handle as never, {
      group: GROUP,
      concurrency: 4,
      retries: 1,
    });
    for (let turn = 0; turn < 120; turn++) await bus.publish(TOPIC, { key: `key-${turn}`, turn, hold: 80 });
    await bus.publish(TOPIC, { key: 'bad', turn: 0 });
    try {
      await redis.config('SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1mb');
      await expect(bus.publish(TOPIC, { key: 'x', turn: 0 })).rejects.toBeInstanceOf(EventUnavailableError);
      // For longer than the lease; the second half by another consumer.
      await sleep(1_200);
      const next = await start();
      await subscription.close();
      await next.bus.subscribe(TOPIC, handle as never, { group: GROUP, concurrency: 4, retries: 1 });
      await eventually(() => expect(handled.count).toBe(120), 15_000);
      await eventually(async () => expect(await (await view()).pending(GROUP)).toBe(1));
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    await eventually(async () => expect(await bus.deadLetters(TOPIC).count()).toBe(1), 10_000);
    await eventually(async () => expect(await (await view()).pending(GROUP)).toBe(0));
  }, 40_000);
});
