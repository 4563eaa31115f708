import { describe, expect, it } from '@jest/globals';
import { getRedisConnectionToken, hashSlot, type RedisConnection } from 'rednest';
import { bullConnection } from 'rednest/bullmq';
import { startCluster, startSentinel } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { BULL_USER } from './fixtures/bullmq-acl.js';
import { startJobs } from './fixtures/bullmq-application.js';

const opened = new Opened();

const acl = [BULL_USER];

/** Longer than a failover of these servers takes. */
const FAILOVER = 15_000;

describe('jobs of BullMQ', () => {
  it('go on after Sentinels have failed over, over TLS', async () => {
    const group = opened.add(await startSentinel({ tls: true, acl }));
    const { processor, queue } = await startJobs(opened, group.options);
    await queue.add('import', { rows: 1 });
    await eventually(() => processor.completed.length === 1);
    const [replica] = group.servers.slice(1);
    await eventually(async () => (await (await replica!.admin()).dbsize()) > 0);

    await (await group.master()).kill();
    const added = queue.add('import', { rows: 1 });
    await group.waitForFailover();
    await added;
    await eventually(() => processor.completed.length === 2, FAILOVER);
    expect(processor.failed).toEqual([]);
  }, 40_000);

  it('go on after a node of a Cluster has failed over, over TLS, with all keys in one slot', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 1, tls: true, acl }));
    const { app, processor, queue } = await startJobs(opened, cluster.options);
    const job = await queue.add('import', { rows: 40, pace: 50 }, { jobId: 'running' });
    await eventually(() => processor.begun.length === 1);

    const node = await cluster.nodeOfKey('{bull}');
    const keys = await (await node.admin()).keys('*');
    expect(keys).toContain('{bull}:imports:running');
    expect(new Set(keys.map((key) => hashSlot(key)))).toEqual(new Set([hashSlot('{bull}')]));
    expect(await queue.getWorkers()).toHaveLength(1);

    const holders = async () => {
      const sizes = cluster.nodes.map(async (each) => (await each.admin()).dbsize());
      return (await Promise.all(sizes)).filter((size) => size > 0).length;
    };
    await eventually(async () => (await holders()) === 2);
    await node.kill();
    const added = queue.add('import', { rows: 1 }, { jobId: 'added' });
    await cluster.waitForFailover();
    await added;
    await eventually(() => processor.completed.length === 2, FAILOVER);
    expect(processor.failed).toEqual([]);
    expect((await queue.getJob(job.id!))?.progress).toBe(40);

    const connection = app.get<RedisConnection>(getRedisConnectionToken('jobs'));
    expect(bullConnection(connection, { prefix: 'mails' }).prefix).toBe('{mails}');
    expect(bullConnection(connection, { prefix: 'mails:{1}' }).prefix).toBe('mails:{1}');
  }, 60_000);
});
