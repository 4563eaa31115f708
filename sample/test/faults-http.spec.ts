import { afterEach, describe, expect, it } from '@jest/globals';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { RunningAtlas } from './atlas.fixture.js';
import { until } from './until.fixture.js';

/** Milliseconds after which a probe counts as hung: many times its own deadline, for machines that are busy. */
const HUNG = 10_000;

/** Milliseconds in which a verdict has to come about. */
const PATIENCE = 15_000;

interface Health {
  details: Record<string, { status: string; state?: string; code?: string }>;
}

/** Of a readiness probe: the status of the answer, and what it says of the connection. */
type Verdict = [status: number, connection: string, code?: string];

const started: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

async function startAtlas(
  options?: Parameters<typeof startRedis>[0],
): Promise<{ server: RedisServer; atlas: RunningAtlas }> {
  const server = await startRedis(options);
  started.push(server);
  const atlas = await RunningAtlas.start({ redis: server.options });
  started.push(atlas);
  await becomes(atlas, [200, 'up']);
  return { server, atlas };
}

function probe(atlas: RunningAtlas, path: string): Promise<Response> {
  return fetch(atlas.url + path, { signal: AbortSignal.timeout(HUNG) });
}

async function readiness(atlas: RunningAtlas): Promise<Verdict> {
  const response = await probe(atlas, '/health/ready');
  const { details } = (await response.json()) as Health;
  const { status, state, code } = details['redis']!;
  // What is degraded is `up` for terminus 11.
  return [response.status, state ?? status, ...(code === undefined ? [] : [code])] as Verdict;
}

/** Waits for a verdict, while the process counts as alive and its metrics can be read. What it is at last is what is shown if it fails. */
async function becomes(atlas: RunningAtlas, expected: Verdict): Promise<void> {
  let verdict: Verdict | undefined;
  await until(async () => {
    verdict = await readiness(atlas);
    expect((await probe(atlas, '/health/live')).status).toBe(200);
    return JSON.stringify(verdict) === JSON.stringify(expected);
  }, PATIENCE).catch((error: unknown) => {
    if (verdict === undefined) throw error;
  });
  expect(verdict).toEqual(expected);
  const metrics = await probe(atlas, '/metrics');
  expect([metrics.status, await metrics.text()]).toEqual([200, expect.stringContaining('rednest_')]);
}

describe('Atlas on a single Redis', () => {
  it('is not ready while Redis is gone', async () => {
    const { server, atlas } = await startAtlas();
    await server.kill();
    await becomes(atlas, [503, 'down', 'REDIS_UNAVAILABLE']);
    await server.restart();
    await becomes(atlas, [200, 'up']);
  });

  it('is not ready while Redis is silent', async () => {
    const { server, atlas } = await startAtlas();
    server.pause();
    await becomes(atlas, [503, 'down', 'REDIS_TIMEOUT']);
    server.resume();
    await becomes(atlas, [200, 'up']);
  });

  it('is not ready while Redis loads its data set', async () => {
    const config = { 'enable-debug-command': 'yes', 'loading-process-events-interval-bytes': '1024' };
    const { server, atlas } = await startAtlas({ config });
    const admin = await server.admin();
    await admin.call('DEBUG', 'POPULATE', '3000');
    // Microseconds for each key.
    await admin.config('SET', 'key-load-delay', '1000');
    const loaded = admin.call('DEBUG', 'RELOAD').catch(() => undefined);
    await becomes(atlas, [503, 'down', 'REDIS_UNAVAILABLE']);
    await loaded;
    await becomes(atlas, [200, 'up']);
  });

  it('is ready and degraded while the memory is full: it can read, and no other replica could write', async () => {
    const { server, atlas } = await startAtlas();
    const admin = await server.admin();
    await admin.config('SET', 'maxmemory', '1');
    await becomes(atlas, [200, 'degraded', 'REDIS_OUT_OF_MEMORY']);
    expect((await atlas.get('/cities?q=zurich')).status).toBe(200);
    expect((await atlas.put('/accounts/alice', { balance: 1 })).status).toBe(503);
    await admin.config('SET', 'maxmemory', '0');
    await becomes(atlas, [200, 'up']);
    expect((await atlas.put('/accounts/alice', { balance: 1 })).status).toBe(200);
  });

  it('is not ready while what it writes to is a replica', async () => {
    const { server, atlas } = await startAtlas();
    const master = await startRedis();
    started.push(master);
    const admin = await server.admin();
    await admin.replicaof(master.host, master.port);
    await becomes(atlas, [503, 'down', 'REDIS_READ_ONLY']);
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await becomes(atlas, [200, 'up']);
  });

  it('is not ready while its password is wrong', async () => {
    const { server, atlas } = await startAtlas({ password: 'first' });
    const admin = await server.admin();
    await admin.config('SET', 'requirepass', 'second');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await becomes(atlas, [503, 'down', 'REDIS_AUTH']);
    await admin.config('SET', 'requirepass', 'first');
    await becomes(atlas, [200, 'up']);
  });

  it('asks Redis a handful of times for a thousand probes at once', async () => {
    const { server, atlas } = await startAtlas();
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async () => (await readiness(atlas)).join(' ')),
    );
    expect(new Set(answers)).toEqual(new Set(['200 up']));
    const seconds = Math.ceil((performance.now() - start) / 1_000);
    const [, pings = '0'] = /cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats')) ?? [];
    // One for each second, for which a result is kept, and as many of each connection that listens for the cache or the events.
    expect(Number(pings)).toBeLessThanOrEqual(4 * (1 + seconds));
  });

  it('serves on after SIGTERM, not ready any more, until the delay is over', async () => {
    process.env['SHUTDOWN_DELAY'] = '2s';
    try {
      const { atlas } = await startAtlas();
      const closing = atlas.close('SIGTERM');
      await until(async () => (await probe(atlas, '/health/ready')).status === 503);
      expect(await (await probe(atlas, '/health/ready')).json()).toMatchObject({ status: 'shutting_down' });
      expect((await probe(atlas, '/health/live')).status).toBe(200);
      expect((await atlas.get('/cities?q=zurich')).status).toBe(200);
      await closing;
      await expect(probe(atlas, '/health/live')).rejects.toThrow();
    } finally {
      delete process.env['SHUTDOWN_DELAY'];
    }
  });
});

describe('Atlas on a Cluster', () => {
  it('is not ready while a slot is lost', async () => {
    const cluster = await startCluster({
      replicas: 0,
      config: { 'cluster-require-full-coverage': 'yes' },
    });
    started.push(cluster);
    const atlas = await RunningAtlas.start({ redis: cluster.options });
    started.push(atlas);
    await becomes(atlas, [200, 'up']);
    // By its owner first: the others learn from it what is whose.
    const owner = await cluster.nodeOfKey('lost');
    const slot = await (await owner.admin()).cluster('KEYSLOT', 'lost');
    const others = (await cluster.masters()).filter((node) => node !== owner);
    for (const node of [owner, ...others]) await (await node.admin()).cluster('DELSLOTS', slot);
    await becomes(atlas, [503, 'down', 'REDIS_CLUSTER']);
    await (await owner.admin()).cluster('ADDSLOTS', slot);
    await becomes(atlas, [200, 'up']);
  });
});
