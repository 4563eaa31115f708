import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { ADAPTERS } from './fixtures/throttler-messages.js';
import { NEST, startReplicas } from './fixtures/throttler-replica.js';
import { callsOf, THROTTLER_USER } from './fixtures/throttler.js';

const opened = new Opened();

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis({ tls: true, acl: [THROTTLER_USER] });
});

afterAll(() => server.stop());

type Get = (path: string) => Promise<Response>;

/** What a request was told of limits. */
async function ask(get: Get, path: string) {
  const { status, headers } = await get(path);
  const told = [...headers].filter(([name]) => /^(x-ratelimit|retry-after)/.test(name));
  return {
    status,
    ...Object.fromEntries(told.map(([name, value]) => [name.replace('x-ratelimit-', ''), value])),
  };
}

/** Answers of a route, one after the other, from the two replicas in turn. */
async function inTurn(replicas: readonly { get: Get }[], path: string, count: number) {
  const answers = [];
  for (let call = 0; call < count; call++) answers.push(await ask(replicas[call % 2]!.get, path));
  return answers;
}

/** A second may have passed meanwhile. */
const about = (seconds: number) =>
  expect.stringMatching(new RegExp(`^(?:${seconds}|${seconds - 1}|${seconds - 2})$`));

describe('two replicas behind the guard, on Express and on Fastify, over TLS', () => {
  it('share limits, tell of them, and go on without Redis', async () => {
    const replicas = startReplicas(opened);
    const [allowing, refusing] = await Promise.all(
      replicas.map((replica, index) =>
        replica.serve({
          adapter: ADAPTERS[index]!,
          redis: server.options,
          storage: { whenUnavailable: index === 0 ? 'allow' : 'refuse', budget: '2s' },
        }),
      ),
    );
    const both = [allowing!, refusing!];
    expect(both.map(({ nest }) => nest)).toEqual([NEST, NEST]);

    // A count for each route.
    const passes = (remaining: number) => ({
      status: 200,
      limit: '4',
      remaining: String(remaining),
      reset: about(60),
    });
    expect(await inTurn(both, 'limited', 6)).toEqual([
      ...[3, 2, 1, 0].map(passes),
      ...Array.from({ length: 2 }, () => ({ status: 429, 'retry-after': about(60) })),
    ]);
    // A block lasts longer than the hits count.
    expect((await inTurn(both, 'blocking', 4)).slice(2)).toEqual(
      Array.from({ length: 2 }, () => ({ status: 429, 'retry-after': about(120) })),
    );
    expect(await inTurn(both, 'none', 2)).toEqual(
      Array.from({ length: 2 }, () => ({ status: 429, 'retry-after': '60' })),
    );
    // Of several throttlers, that of the shorter ttl is asked first, and what it refuses is not counted by the other.
    const [first, , third, fourth] = await inTurn(both, 'both', 4);
    expect(first).toEqual({
      status: 200,
      limit: '3',
      remaining: '2',
      reset: about(60),
      'limit-burst': '2',
      'remaining-burst': '1',
      'reset-burst': about(30),
    });
    for (const answer of [third, fourth])
      expect(answer).toEqual({ status: 429, 'retry-after-burst': about(30) });

    const before = await callsOf(server, 'evalsha', 'eval');
    expect(await inTurn(both, 'skipped', 4)).toEqual(Array.from({ length: 4 }, () => ({ status: 200 })));
    expect(await callsOf(server, 'evalsha', 'eval')).toBe(before);
    await inTurn(both, 'limited', 2);
    expect(await callsOf(server, 'evalsha', 'eval')).toBe(before + 2);

    expect(await refusals(server)).toEqual({});
    await server.kill();
    for (let call = 0; call < 10; call++) expect((await allowing!.get('limited')).status).toBe(200);
    const unavailable = await refusing!.get('limited');
    expect(unavailable.status).toBe(503);
    // Where Redis is, and what it says, is not for who asks.
    expect(await unavailable.json()).toEqual({
      statusCode: 503,
      error: 'Service Unavailable',
      message: 'Requests cannot be counted now',
    });
    // Nothing passes where the limit is 0, whatever has become of Redis.
    expect(await ask(allowing!.get, 'none')).toMatchObject({ status: 429 });
    await server.restart();
    await eventually(async () => expect((await refusing!.get('limited')).status).not.toBe(503), 10_000);
    await eventually(async () => expect((await inTurn(both, 'limited', 5)).at(-1)!.status).toBe(429), 10_000);
  });
});
