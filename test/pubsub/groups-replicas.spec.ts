import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { EventBus, EventContext } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupProcess, GroupView, TOPIC, type Work } from './fixtures/groups.js';

const applications = new BusApplications();
const opened = new Opened();
const GROUP = 'workers';

const view = async () => new GroupView(await applications.server.admin(), applications.namespace);

/** Handled events of each key, by all consumers of a test. */
class Record {
  readonly turns = new Map<string, number[]>();
  readonly #running = new Set<string>();
  running = 0;
  mostRunning = 0;
  readonly overlaps: string[] = [];

  readonly handle = async ({ key, turn, hold = 0 }: Work): Promise<void> => {
    if (this.#running.has(key)) this.overlaps.push(key);
    this.#running.add(key);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    await sleep(hold);
    this.running--;
    this.#running.delete(key);
    const turns = this.turns.get(key);
    if (turns) turns.push(turn);
    else this.turns.set(key, [turn]);
  };

  get count(): number {
    return [...this.turns.values()].reduce((sum, { length }) => sum + length, 0);
  }

  expectOrder(keys: number, turns: number): void {
    const expected = Array.from({ length: turns }, (_, turn) => turn);
    expect(this.turns.size).toBe(keys);
    for (const each of this.turns.values()) expect(each).toEqual(expected);
    expect(this.overlaps).toEqual([]);
  }
}

async function join(record: Record, options: { concurrency?: number } = {}) {
  const started = await applications.start([], { options: FAST });
  await started.bus.subscribe(TOPIC, record.handle as never, { group: GROUP, ...options });
  return started;
}

/** Publishes turns of keys, a few at a time, until it is told to stop. */
class Load {
  turn = 0;
  readonly done: Promise<void>;
  #isOver = false;

  constructor(bus: EventBus, keys: number) {
    this.done = this.#run(bus, keys);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.done;
  }

  async #run(bus: EventBus, keys: number): Promise<void> {
    for (; !this.#isOver; this.turn++) {
      for (let key = 0; key < keys; key++) await bus.publish(TOPIC, { key: `key-${key}`, turn: this.turn });
      await sleep(40);
    }
  }
}

describe('the consumers of a group', () => {
  it('handle the events of a key in order, one at a time, those of others side by side, within the concurrency', async () => {
    const record = new Record();
    const { bus } = await join(record, { concurrency: 10 });
    const events = Array.from({ length: 600 }, (_, index) => ({
      key: `key-${index % 30}`,
      turn: Math.floor(index / 30),
      hold: Math.random() * 10,
    }));
    await Promise.all(events.map((event) => bus.publish(TOPIC, event)));
    await eventually(() => record.count === events.length, 20_000);
    record.expectOrder(30, 20);
    expect(record.mostRunning).toBe(10);
  });

  it('share the partitions evenly, and anew when one joins or leaves; nothing is lost, doubled or out of order', async () => {
    const record = new Record();
    const redis = await view();
    const all = await Promise.all([join(record), join(record), join(record)]);
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([3, 3, 2]), 10_000);
    const { bus } = await applications.start([], { options: FAST });
    const load = new Load(bus, 24);
    const fourth = await join(record);
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([2, 2, 2, 2]), 10_000);
    await sleep(300);
    await fourth.close();
    expect((await redis.consumers(GROUP)).size).toBe(3);
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([3, 3, 2]), 10_000);
    await all[0].close();
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([4, 4]), 10_000);
    await load.end();
    await eventually(() => record.count >= 24 * load.turn, 20_000);
    await eventually(async () => (await redis.pending(GROUP)) === 0);
    record.expectOrder(24, load.turn);
    expect((await redis.consumers(GROUP)).size).toBe(2);
  }, 60_000);

  it('keep what they own where Redis loses who that is', async () => {
    const record = new Record();
    const redis = await view();
    const { bus } = await join(record);
    await join(record);
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([4, 4]), 10_000);
    const load = new Load(bus, 24);
    for (let loss = 0; loss < 3; loss++) {
      await sleep(400);
      await redis.redis.del(redis.key(`group:${GROUP}:owners`));
    }
    await load.end();
    await eventually(() => record.count >= 24 * load.turn, 20_000);
    record.expectOrder(24, load.turn);
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([4, 4]), 10_000);
  }, 30_000);

  it('hand over what one that leaves waits for no longer, and at once what it does not handle', async () => {
    const begun: [string, number][] = [];
    const signals: AbortSignal[] = [];
    const late: number[] = [];
    const slow = await applications.start([], { options: { ...FAST, lease: '30s', shutdownTimeout: '2s' } });
    const stuck = async ({ turn }: Work, { signal }: EventContext) => {
      begun.push(['slow', turn]);
      signals.push(signal);
      await new Promise(() => undefined);
    };
    await slow.bus.subscribe(TOPIC, stuck as never, { group: GROUP, concurrency: 1 });
    await slow.bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(() => begun.length === 1);
    const closing = slow.close();
    const next = await applications.start([], { options: { ...FAST, lease: '30s' } });
    await next.bus.subscribe(TOPIC, ((work: Work) => void late.push(work.turn)) as never, { group: GROUP });
    // Long before the other has gone.
    for (let turn = 1; turn < 20; turn++) await next.bus.publish(TOPIC, { key: `key-${turn}`, turn });
    await eventually(() => late.length > 10, 1_900);
    expect(signals[0]!.aborted).toBe(false);
    await closing;
    expect(signals[0]!.aborted).toBe(true);
    await eventually(
      () => expect(late.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i)),
      10_000,
    );
    expect(begun).toEqual([['slow', 0]]);
  }, 30_000);

  it('go on without one that stands still, whose late commits do nothing', async () => {
    const redis = await view();
    const { namespace, server } = applications;
    const pubsub = { ...FAST, namespace };
    const options = { redis: server.options, pubsub, topic: TOPIC, group: { group: GROUP, concurrency: 50 } };
    const [still, other] = [opened.add(new GroupProcess()), opened.add(new GroupProcess())];
    await still.subscribe(options);
    const { bus } = await applications.start([], { options: FAST });
    const keys = Array.from({ length: 16 }, (_, key) => `key-${key}`);
    for (const [turn, key] of keys.entries()) await bus.publish(TOPIC, { key, turn, hold: 700 });
    await still.until({ begun: 15 });
    still.script.signal('SIGSTOP');
    await other.subscribe(options);
    for (const [turn, key] of keys.entries()) await bus.publish(TOPIC, { key, turn: turn + 16 });
    for (let turn = 0; turn < 32; turn++) await other.until({ committed: turn, isDone: true });
    still.script.signal('SIGCONT');
    for (let turn = 0; turn < 16; turn++) await still.until({ committed: turn, isDone: false });
    for (const [turn, key] of keys.entries())
      expect(await redis.redis.lrange(`${namespace}:order:${key}`, 0, -1)).toEqual([
        String(turn),
        String(turn + 16),
      ]);
    expect(await redis.pending(GROUP)).toBe(0);
    // It is one of them again.
    await eventually(async () => expect(await redis.shares(GROUP)).toEqual([4, 4]), 10_000);
  }, 60_000);
});
