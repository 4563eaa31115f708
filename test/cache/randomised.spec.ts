import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { CacheRootOptions, CoherenceMode, RedisModuleOptions } from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { Opened } from '../support/opened.js';
import { killClients } from '../support/server-view.js';
import { openInstance } from './fixtures/coherent.js';
import { Random, Versions } from './fixtures/versions.js';
import { localParticipant, RemoteParticipant } from './fixtures/versions-participant.js';
import { runVersions, slowRows, type Fault } from './fixtures/versions-run.js';

/**
 * What is promised is 100 ms. The rest is for a busy machine, on which several processes, servers and this test share few cores: what is
 * looked for is what stays, and not what is late.
 */
const BOUND = 100 + 200;

/** For how long a server is stopped at most, in milliseconds. An announcement may have to wait so long: it is a command of its own. */
const LONGEST_PAUSE = 250;

/** By hand, for longer and again and again: `COHERENCE_SECONDS=60 COHERENCE_ROUNDS=5 npm test test/cache/randomised.spec.ts`. */
const SECONDS = Number(process.env.COHERENCE_SECONDS ?? 4);
const ROUNDS = Number(process.env.COHERENCE_ROUNDS ?? 1);

const opened = new Opened();
const keys = Array.from({ length: 18 }, (_, index) => `row:${index}`);

interface Scene {
  readonly redis: RedisModuleOptions;
  readonly mode: CoherenceMode;
  readonly bound?: number;
  readonly faults: readonly Fault[];
  readonly remove: ((key: string) => Promise<unknown>) | undefined;
}

async function play({ redis, mode, bound = BOUND, faults, remove }: Scene): Promise<void> {
  const seed = Number(process.env.COHERENCE_SEED ?? randomInt(2 ** 31));
  const random = new Random(seed);
  const versions = new Versions(keys);
  const rows = slowRows(versions, random);
  const cache: CacheRootOptions = { namespace: 'app', ttl: '1m', coherence: mode, lease: '1s' };
  if (mode === 'none') cache.local = { maxAge: 200 };
  const options = { ...redis, shutdownTimeout: 1_000 };
  const remote = opened.add(new RemoteParticipant('process 1', rows));
  await remote.open(options, { ...cache, budget: '50ms' });
  const instances = await Promise.all(
    [1, 2, 3].map(async (number) => {
      const instance = await openInstance(opened, options, { ...cache, budget: '50ms' });
      return localParticipant(`application ${number}`, instance.cache, rows);
    }),
  );
  const participants = [...instances, remote];
  const duration = SECONDS * 1_000;
  await runVersions({
    seed,
    duration,
    bound,
    keys,
    versions,
    participants,
    faults,
    ...(remove && { remove }),
  });
  const { reads, writes, violations, latest } = versions;
  if (process.env.COHERENCE_SECONDS)
    console.log(`${mode}, seed ${seed}: ${reads} reads, ${writes} writes, the oldest ${latest} ms late`);
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  expect(reads).toBeGreaterThan(1_000);
  expect(writes).toBeGreaterThan(50);
}

const retrying = (action: () => Promise<unknown>) => async (): Promise<void> => {
  for (;;) {
    try {
      await action();
      return;
    } catch {
      await sleep(10);
    }
  }
};

const killListeners = (server: () => Promise<RedisServer>) => async () =>
  killClients(await server(), ':listener').catch(() => undefined);

const killData = (server: () => Promise<RedisServer>) => async () => {
  const admin = await (await server()).admin();
  const clients = String(await admin.client('LIST')).split('\n');
  for (const client of clients) {
    const [, id = '', name = ''] = /^id=(\d+) .*? name=(\S*)/.exec(client) ?? [];
    if (name.startsWith('rednest:') && !name.endsWith(':listener')) await admin.client('KILL', 'ID', id);
  }
};

const pause = (server: () => Promise<RedisServer>) => async (random: Random) => {
  const paused = await server();
  paused.pause();
  await sleep(20 + random.below(LONGEST_PAUSE - 20));
  paused.resume();
};

const timeout = (SECONDS * 1_000 + 30_000) * ROUNDS;
const rounds = Array.from({ length: ROUNDS }, (_, round) => round + 1);

describe.each(rounds)('no read is older than what was written and invalidated before it (round %i)', () => {
  it(
    'tracking: while connections are killed and the server is stopped',
    async () => {
      const server = opened.add(await startRedis());
      const target = async () => server;
      const remove = (key: string) =>
        retrying(async () => (await server.admin()).del(`app:cache:e:default:${key}`))();
      await play({
        redis: server.options,
        mode: 'tracking',
        remove,
        faults: [killListeners(target), killData(target), pause(target)],
      });
    },
    timeout,
  );

  it(
    'pubsub: while listeners are killed and the server is stopped',
    async () => {
      const server = opened.add(await startRedis());
      const target = async () => server;
      await play({
        redis: server.options,
        mode: 'pubsub',
        bound: BOUND + LONGEST_PAUSE,
        remove: undefined,
        faults: [killListeners(target), pause(target)],
      });
    },
    timeout,
  );

  it(
    'none: but for the age that local entries may have',
    async () => {
      const server = opened.add(await startRedis());
      const target = async () => server;
      const remove = (key: string) =>
        retrying(async () => (await server.admin()).del(`app:cache:e:default:${key}`))();
      await play({
        redis: server.options,
        mode: 'none',
        bound: BOUND + 200,
        remove,
        faults: [killData(target), pause(target)],
      });
    },
    timeout,
  );

  it.each(['tracking', 'pubsub'] as const)(
    '%s on a Cluster: also while slots move',
    async (mode) => {
      const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
      const random = new Random(1);
      const target = async () => random.pick(await cluster.masters());
      const move = async () => {
        const key = `app:cache:e:default:${random.pick(keys)}`;
        const masters = await cluster.masters();
        const from = await cluster.nodeOfKey(key);
        const to = random.pick(masters.filter((master) => master !== from));
        const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey(key), to });
        await sleep(random.below(100));
        await migration.moveKeys();
        await sleep(random.below(100));
        await migration.finish();
      };
      const remove = (key: string) =>
        retrying(async () => (await cluster.admin()).del(`app:cache:e:default:${key}`))();
      const faults = [killListeners(target), move, ...(mode === 'tracking' ? [killData(target)] : [])];
      await play({ redis: cluster.options, mode, remove: mode === 'tracking' ? remove : undefined, faults });
    },
    timeout,
  );
});
