import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { IsInt } from 'class-validator';
import {
  Event,
  EventBus,
  getRedisConnectionToken,
  PubSubModule,
  RedisModule,
  type EventContext,
  type RedisConnection,
  type RedisModuleOptions,
} from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { refusals } from '../support/server-view.js';
import { busParts, durableType } from './fixtures/durable-topic.js';
import { trimNow } from './fixtures/trim-now.js';

const opened = new Opened();

const USER = { username: 'app', password: 'guide-secret' };

/** What both guides together allow, with the connection's own keys and channels taken out again: events have to do with their own. */
const RULES = `${guideAcl()} resetkeys resetchannels ${guideAcl('events')}`;

/** That of the pattern that is subscribed to. */
const PATTERN = '&app:topic:upd*';

const acl = [`${USER.username} on >${USER.password} ${RULES} ${PATTERN}`];

@Event<Viewed>('viewed', {
  delivery: 'durable',
  key: ({ city }) => city,
  partitions: 2,
  keep: '1ms',
  maxLength: 10_000,
})
class Viewed {
  @IsInt()
  readonly city: number;

  constructor(city: number) {
    this.city = city;
  }
}

@Event('updated')
class Updated {
  @IsInt()
  readonly city: number;

  constructor(city: number) {
    this.city = city;
  }
}

interface Process {
  readonly bus: EventBus;
  readonly connection: RedisConnection;
  readonly client: RedisConnection['client'];
  readonly close: () => Promise<void>;
}

async function open(redis: RedisModuleOptions): Promise<Process> {
  const pubsub = PubSubModule.forRoot({
    namespace: 'app',
    lease: '1s',
    backoff: { initial: 10 },
    shutdownTimeout: '1s',
  });
  const { app } = await startApplication([
    RedisModule.forRoot({ ...redis, ...USER, shutdownTimeout: '1s' }),
    pubsub,
  ]);
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= app.close());
  opened.add({ [Symbol.asyncDispose]: close });
  const connection = app.get<RedisConnection>(getRedisConnectionToken());
  return { bus: app.get(EventBus), connection, client: connection.client, close };
}

async function broadcast({ bus }: Process, there: Process): Promise<void> {
  const seen: string[] = [];
  const first = await bus.subscribe(Updated, () => void seen.push('class'));
  const second = await bus.subscribe('upd*', () => void seen.push('pattern'), { overflow: 'wait' });
  const third = await bus.subscribe('upd*', () => undefined);
  const stream = bus.stream(Updated);
  await eventually(async () => {
    await there.bus.publish(new Updated(1));
    return seen.includes('class') && seen.includes('pattern');
  });
  expect((await stream.next()).value).toEqual(new Updated(1));
  await stream.return();
  await Promise.all([first, second, third].map((each) => each.close()));
}

/** A group: retries, dead letters, once, commit; one consumer after the other. */
async function group(here: Process, there: Process): Promise<void> {
  const handled: number[] = [];
  let fails = true;
  const handle =
    ({ client }: Process) =>
    async ({ city }: Viewed, context: EventContext) => {
      if (city === 13 && fails) throw new Error('no');
      if (city === 1) await context.commit(client.multi().set('app:{viewed}:effect', 1));
      handled.push(city);
    };
  const options = { group: 'ranking', once: true, retries: 1 } as const;
  const first = await here.bus.subscribe(Viewed, handle(here), options);
  await there.bus.subscribe(Viewed, handle(there), options);
  const tail: number[] = [];
  const listener = await here.bus.subscribe(Viewed, ({ city }) => void tail.push(city), {
    delivery: 'broadcast',
  });
  for (const city of [1, 2, 13, 13]) await here.bus.publish(new Viewed(city));
  await eventually(() => expect(tail.toSorted((one, other) => one - other)).toEqual([1, 2, 13, 13]));
  await listener.close();
  const letters = there.bus.deadLetters(Viewed);
  await eventually(async () => expect(await letters.count()).toBe(2));
  for await (const letter of letters.list({ group: 'ranking' })) expect(letter.attempts).toBe(2);
  expect((await here.bus.stats()).groups).toEqual([expect.objectContaining({ group: 'ranking' })]);
  fails = false;
  const oldest = letters.list({ limit: 1 });
  for await (const letter of oldest) expect(await letters.replay(letter)).toBe(1);
  await eventually(() => expect(handled).toContain(13));
  expect(await letters.drop('all')).toBe(1);
  // What one leaves is taken over by the other.
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  await first.close();
  const stuck = await here.bus.subscribe(Viewed, () => released, { ...options, group: 'stuck' });
  await here.bus.publish(new Viewed(5));
  await there.bus.subscribe(Viewed, handle(there), { ...options, group: 'stuck' });
  await eventually(() => expect(handled).toContain(5));
  await stuck.close();
  expect(await there.bus.removeGroup(Viewed, 'never made')).toBe(false);
  release();
}

/** A broadcast that cannot be read, recorded and published again. */
async function unreadable({ bus, client }: Process, isCluster: boolean): Promise<void> {
  if (isCluster) return;
  const seen: number[] = [];
  await bus.subscribe(Updated, ({ city }) => void seen.push(city));
  await client.publish(
    'app:topic:updated',
    JSON.stringify({ id: 'x', topic: 'updated', v: 2, at: 1, from: 'x', data: {} }),
  );
  await eventually(async () => expect(await bus.deadLetters(Updated).count()).toBe(1));
  expect(await bus.deadLetters(Updated).replay('all')).toBe(1);
}

async function useEverything(processes: readonly [Process, Process], isCluster: boolean): Promise<void> {
  const [here, there] = processes;
  await broadcast(here, there);
  await group(here, there);
  await unreadable(here, isCluster);
  // As it is some seconds after something was published.
  await trimNow(busParts(here.connection), durableType('viewed', { partitions: 2 }));
  await here.close();
}

const statsOf = async (servers: readonly RedisServer[]): Promise<string> =>
  (await Promise.all(servers.map(async (each) => (await each.admin()).info('commandstats')))).join('\n');

describe('the smallest ACL of the guide', () => {
  const stats: string[] = [];

  it.each([
    ['a single server', () => startRedis({ acl })],
    ['a Cluster', () => startCluster({ masters: 3, acl })],
  ])(
    'is enough for all that events do on %s',
    async (_, start) => {
      const servers = opened.add(await start());
      const isCluster = 'nodes' in servers;
      const nodes = isCluster ? servers.nodes : [servers];
      const openOne = () => open(servers.options);
      await useEverything([await openOne(), await openOne()], isCluster);
      stats.push(await statsOf(nodes));
      for (const each of nodes) expect(await refusals(each)).toEqual({});
    },
    60_000,
  );

  it('grants nothing that events can do without', () => {
    const commands = guideAcl('events')
      .split(' ')
      .filter((rule) => rule.startsWith('+'));
    const missing = commands.filter(
      (rule) => !stats.some((each) => each.includes(`cmdstat_${rule.slice(1)}:`)),
    );
    expect(missing).toEqual([]);
  });
});
