import { expect, it } from '@jest/globals';
import { RedisModule } from 'rednest';
import { RedisHealthIndicator, RedisHealthModule } from 'rednest/health';
import { startCluster } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { stateOf, type Entry } from './fixtures/health-application.js';

const opened = new Opened();

const SLOTS = 16_384;

it('a Cluster is down when it fails, degraded while some slots do, and up when they are served again', async () => {
  const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
  const { app } = await startApplication([
    RedisModule.forRoot({ ...cluster.options, startup: 'required' }),
    RedisHealthModule.forRoot({ cacheFor: 50 }),
  ]);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  const indicator = app.get(RedisHealthIndicator);
  const check = async (): Promise<Entry> => (await indicator.check('redis')).redis;
  const configure = async (coverage: 'yes' | 'no') => {
    for (const node of cluster.nodes)
      await (await node.admin()).config('SET', 'cluster-require-full-coverage', coverage);
  };
  const becomes = (state: string, expected: object) =>
    eventually(async () => {
      const entry = await check();
      expect({ ...entry, state: stateOf(entry) }).toMatchObject({ ...expected, state });
    }, 20_000);

  await becomes('up', { cluster: { state: 'ok', slotsFailing: 0, nodes: 3 } });
  expect(await check()).not.toHaveProperty('role');

  // A slot that nobody serves.
  await configure('yes');
  for (const node of cluster.nodes) await (await node.admin()).call('CLUSTER', 'DELSLOTS', '0');
  await becomes('down', { code: 'REDIS_CLUSTER', cluster: { state: 'fail', slotsFailing: 1 } });
  await configure('no');
  await becomes('degraded', { code: 'REDIS_CLUSTER', cluster: { state: 'ok', slotsFailing: 1 } });
  await (await cluster.nodes[0]!.admin()).call('CLUSTER', 'ADDSLOTS', '0');
  await becomes('up', { cluster: { state: 'ok', slotsFailing: 0 } });

  // A master that is gone, with its slots.
  await cluster.nodes[2]!.kill();
  await becomes('degraded', { cluster: { state: 'ok', slotsFailing: Math.ceil(SLOTS / 3), nodes: 2 } });
  await cluster.nodes[2]!.restart();
  await becomes('up', { cluster: { state: 'ok', slotsFailing: 0, nodes: 3 } });

  // One that is silent does not silence the others.
  cluster.nodes[1]!.pause();
  await becomes('degraded', { code: 'REDIS_TIMEOUT', cluster: { nodes: 2 } });
  cluster.nodes[1]!.resume();
  await becomes('up', { cluster: { state: 'ok', slotsFailing: 0, nodes: 3 } });
}, 60_000);
