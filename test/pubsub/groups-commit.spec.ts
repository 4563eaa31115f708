import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  EventBus,
  getRedisConnectionToken,
  PubSubModule,
  RedisModule,
  RedisWrongTypeError,
  type EventContext,
  type RedisClient,
  type RedisConnection,
  type SubscribeCallOptions,
} from 'rednest';
import { startCluster } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupView, TOPIC, type Work } from './fixtures/groups.js';

const applications = new BusApplications();
const opened = new Opened();
const GROUP = 'workers';

async function start() {
  const { app, bus } = await applications.start([], { options: FAST });
  const { client } = app.get<RedisConnection>(getRedisConnectionToken());
  const redis = new GroupView(await applications.server.admin(), applications.namespace);
  return { bus, client, redis, key: (name: string) => `${applications.namespace}:${name}` };
}

/** What an error says; what it does not reject with. */
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => error,
  );

describe('ctx.commit', () => {
  it.each<[string, SubscribeCallOptions]>([
    ['kept', { once: '1m' }],
    ['not kept', {}],
  ])(
    'does, marks and acknowledges in one, and nothing the second time, where ids are %s',
    async (_, options) => {
      const { bus, client, redis, key } = await start();
      const replies: unknown[] = [];
      const pending: number[] = [];
      const handle = async ({ turn }: Work, context: EventContext) => {
        const effects = () =>
          client.multi().incrby(key('count'), 2).set(key('last'), turn).hgetall(key('none'));
        replies.push(await context.commit(effects()));
        pending.push(await redis.pending(GROUP));
        replies.push(await context.commit(effects()));
      };
      await bus.subscribe(TOPIC, handle as never, { group: GROUP, ...options });
      await bus.publish(TOPIC, { key: 'one', turn: 7 });
      await eventually(() => replies.length === 2);
      expect(replies).toEqual([[2, 'OK', []], undefined]);
      expect(pending).toEqual([0]);
      expect(await client.mget(key('count'), key('last'))).toEqual(['2', '7']);
      expect(await redis.redis.zcard(redis.key(`group:${GROUP}:done`))).toBe('once' in options ? 1 : 0);
    },
  );

  it('takes any number of commands, none, and bytes as they are', async () => {
    const { bus, client, key } = await start();
    const bytes = Buffer.from([0, 255, 128, 10]);
    const replies: unknown[] = [];
    const commits: (() => ReturnType<RedisClient['multi']>)[] = [
      () => client.multi(),
      () =>
        client
          .multi()
          .set(key('bytes'), bytes)
          .sadd(Buffer.from(key('set')), bytes, 'text', 5),
      () =>
        Array.from({ length: 1_000 }).reduce(
          (multi: ReturnType<RedisClient['multi']>) => multi.incr(key('many')),
          client.multi(),
        ),
      () => client.pipeline().incr(key('many')),
    ];
    const handle = async ({ turn }: Work, context: EventContext) =>
      void replies.push(await context.commit(commits[turn]!()));
    await bus.subscribe(TOPIC, handle as never, { group: GROUP });
    for (let turn = 0; turn < commits.length; turn++) await bus.publish(TOPIC, { key: 'one', turn });
    await eventually(() => replies.length === commits.length);
    expect(replies).toEqual([[], ['OK', 3], Array.from({ length: 1_000 }, (_, index) => index + 1), [1_001]]);
    expect(await client.getBuffer(key('bytes'))).toEqual(bytes);
    expect(await client.sismember(key('set'), bytes)).toBe(1);
  });

  it('fails with a command, and the event is handled again', async () => {
    const { bus, client, redis, key } = await start();
    await client.set(key('list'), 'text');
    const errors: unknown[] = [];
    const handle = async (_: Work, context: EventContext) => {
      const error = await failure(context.commit(client.multi().rpush(key('list'), 1)));
      errors.push(error);
      if (context.attempt === 2) await client.del(key('list'));
      if (error !== 'none') throw error;
    };
    await bus.subscribe(TOPIC, handle as never, { group: GROUP, once: true });
    await bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(() => errors.length === 3);
    const wrong = expect.any(RedisWrongTypeError);
    expect(errors).toEqual([wrong, wrong, 'none']);
    expect(await client.lrange(key('list'), 0, -1)).toEqual(['1']);
    await eventually(async () =>
      expect([await redis.pending(GROUP), await redis.notes(GROUP)]).toEqual([0, []]),
    );
  });

  it('makes room for what waits, however much', async () => {
    const { bus, client, key } = await start();
    const handle = (_: unknown, context: EventContext) => context.commit(client.multi().incr(key('count')));
    await Promise.all(Array.from({ length: 3_000 }, (_, turn) => bus.publish('plain', turn)));
    await bus.subscribe('plain', handle, { group: GROUP });
    await eventually(async () => expect(await client.get(key('count'))).toBe('3000'), 10_000);
  });

  it('does as EXEC where a later command fails: all others are done, once', async () => {
    const { bus, client, redis, key } = await start();
    await client.set(key('text'), 'text');
    const errors: unknown[] = [];
    const handle = async (_: Work, context: EventContext) => {
      const effects = client.multi().incr(key('count')).rpush(key('text'), 1).incr(key('count'));
      errors.push(await failure(context.commit(effects)));
      throw new Error('not handled again');
    };
    await bus.subscribe(TOPIC, handle as never, { group: GROUP });
    await bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(async () => expect(await redis.pending(GROUP)).toBe(0));
    await sleep(200);
    expect(errors).toEqual([expect.any(RedisWrongTypeError)]);
    expect(await client.get(key('count'))).toBe('2');
  });

  it('does what it found done by nobody, where a failover forgot the delivery', async () => {
    const { bus, client, redis, key } = await start();
    const outcomes: unknown[] = [];
    const handle = async (_: Work, context: EventContext) => {
      // As a new master has it that was sent the event, and not that it was delivered.
      if (outcomes.length === 0)
        for (const stream of redis.streams) {
          for (const [id] of (await redis.redis.xpending(stream, GROUP, '-', '+', 10)) as [string][])
            await redis.redis.xack(stream, GROUP, id);
          await redis.redis.xgroup('SETID', stream, GROUP, '0');
        }
      outcomes.push(await context.commit(client.multi().incr(key('count'))));
      await sleep(300);
    };
    await bus.subscribe(TOPIC, handle as never, { group: GROUP });
    await bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(() => expect(outcomes).toEqual([undefined, [1]]));
    await eventually(async () => expect(await redis.pending(GROUP)).toBe(0));
  });

  it('takes what is a transaction, of an event that a group handles', async () => {
    const { bus, client } = await start();
    const errors: unknown[] = [];
    const handle = async (_: unknown, context: EventContext) => {
      for (const wrong of [undefined, null, {}, client, 'SET a b'])
        errors.push(await failure(context.commit(wrong as never)));
    };
    await bus.subscribe(TOPIC, handle, { group: GROUP });
    await bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(() => errors.length === 5);
    for (const error of errors)
      expect(error).toEqual(
        expect.objectContaining({
          name: 'TypeError',
          message: expect.stringMatching(/^commit: .*transaction/),
        }),
      );
    const tail: unknown[] = [];
    const listen = async (_: unknown, context: EventContext) =>
      void tail.push(await failure(context.commit(client.multi())));
    await bus.subscribe(TOPIC, listen, { delivery: 'broadcast' });
    await bus.publish(TOPIC, { key: 'one', turn: 1 });
    await eventually(() => expect(tail).toEqual([expect.any(TypeError)]));
  });
});

describe('on a Cluster', () => {
  it('commits within the slot of the topic, and says where a key is elsewhere', async () => {
    const cluster = opened.add(await startCluster({ masters: 3 }));
    const pubsub = PubSubModule.forRoot({ ...FAST, namespace: 'app' });
    const { app } = await startApplication([RedisModule.forRoot(cluster.options), pubsub]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const bus = app.get(EventBus);
    const { client } = app.get<RedisConnection>(getRedisConnectionToken());
    const outcomes: unknown[] = [];
    const handle = async ({ turn }: Work, context: EventContext) => {
      const effects = client.multi().incr(`{${TOPIC}}:count`);
      if (turn === 1) effects.mset(`{${TOPIC}}:a`, 1, 'elsewhere', 2);
      outcomes.push(await context.commit(effects).catch((error: unknown) => error));
    };
    await bus.subscribe(TOPIC, handle as never, { group: GROUP });
    for (const turn of [0, 1, 2]) await bus.publish(TOPIC, { key: 'one', turn });
    await eventually(() => outcomes.length === 3, 10_000);
    expect(outcomes).toEqual([[1], expect.any(TypeError), [2]]);
    expect(String(outcomes[1])).toContain("'elsewhere' needs '{work}' in its name");
  }, 60_000);
});
