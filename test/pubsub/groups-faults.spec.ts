import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { EventBus, RedisModuleOptions } from 'rednest';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupView, TOPIC, type Work } from './fixtures/groups.js';

const applications = new BusApplications();
const opened = new Opened();
const GROUP = 'workers';
const QUICK = { stallTimeout: '1s', maxRetriesPerRequest: 1 } as const;

const view = async () => new GroupView(await applications.server.admin(), applications.namespace);
const start = (redis: Partial<RedisModuleOptions> = {}, pubsub = {}) =>
  applications.startWith([
    applications.redis({ ...QUICK, ...redis }),
    applications.pubsub({ ...FAST, ...pubsub }),
  ]);

/** Turns of keys as they were handled first. */
class Handled {
  readonly turns = new Map<string, number[]>();
  count = 0;

  readonly handle = async ({ key, turn, hold = 0 }: Work): Promise<void> => {
    if (hold > 0) await sleep(hold);
    const turns = this.turns.get(key) ?? [];
    this.turns.set(key, turns);
    if (turns.includes(turn)) return;
    turns.push(turn);
    this.count++;
  };

  subscribe(bus: EventBus, options = {}) {
    return bus.subscribe(TOPIC, this.handle as never, { group: GROUP, ...options });
  }
}

/** Publishes turns of keys until it is ended, each until Redis has it. */
class Load {
  readonly published = new Map<string, number[]>();
  count = 0;
  readonly #keys = Array.from({ length: 16 }, (_, key) => `key-${key}`);
  readonly #done: Promise<unknown>;
  #isOver = false;

  constructor(bus: EventBus) {
    this.#done = Promise.all(this.#keys.map((key) => this.#run(bus, key)));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(bus: EventBus, key: string): Promise<void> {
    const turns: number[] = [];
    this.published.set(key, turns);
    for (let turn = 0; !this.#isOver; turn++, this.count++) {
      const event = { key, turn };
      while (!(await bus.publish(TOPIC, event, { id: `${key}:${turn}` }).catch(() => undefined)))
        await sleep(50);
      turns.push(turn);
      await sleep(20);
    }
  }
}

async function expectAll(load: Load, handled: Handled): Promise<void> {
  await load.end();
  await eventually(() => expect(handled.count).toBe(load.count), 20_000);
  for (const [key, turns] of load.published) expect([key, handled.turns.get(key)]).toEqual([key, turns]);
  const redis = await view();
  await eventually(async () => expect(await redis.pending(GROUP)).toBe(0), 10_000);
  expect(await redis.redis.exists(redis.dead)).toBe(0);
}

describe('all events are handled, those of each key in order,', () => {
  it('though connections are killed', async () => {
    const handled = new Handled();
    for (const { bus } of [await start(), await start()]) await handled.subscribe(bus);
    const load = new Load((await start()).bus);
    const { redis } = await view();
    for (let kills = 0; kills < 5; kills++) {
      await sleep(200);
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await expectAll(load, handled);
  }, 40_000);

  it('though the network of a consumer is cut, and is silent', async () => {
    const handled = new Handled();
    const proxy = opened.add(await FaultProxy.start(applications.server));
    const away = await start({ host: proxy.host, port: proxy.port });
    const near = await start();
    await handled.subscribe(away.bus);
    await handled.subscribe(near.bus);
    const load = new Load(near.bus);
    await sleep(300);
    proxy.cut();
    await sleep(300);
    proxy.refuse();
    proxy.cut();
    await sleep(1_500);
    await proxy.restore();
    await sleep(800);
    proxy.swallow('down');
    await sleep(2_000);
    await proxy.restore();
    await expectAll(load, handled);
    await eventually(async () => expect(await (await view()).shares(GROUP)).toEqual([4, 4]), 15_000);
  }, 60_000);

  it('though Redis stands still for longer than a lease', async () => {
    const handled = new Handled();
    for (const { bus } of [await start(), await start()]) await handled.subscribe(bus);
    const load = new Load((await start()).bus);
    await sleep(200);
    applications.server.pause();
    await sleep(2_500);
    applications.server.resume();
    await sleep(500);
    await expectAll(load, handled);
  }, 40_000);
});
