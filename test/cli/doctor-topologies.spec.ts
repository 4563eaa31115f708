import { describe, expect, it } from '@jest/globals';
import { startCluster, startSentinel } from 'rednest/testing';
import { Opened } from '../support/opened.js';
import { rednest } from './fixtures/tool.js';
import { eventually } from '../support/eventually.js';

describe('rednest doctor', () => {
  const opened = new Opened();

  it('looks at a Cluster as a whole, and tells of slots that nobody serves', async () => {
    const cluster = opened.add(
      await startCluster({
        replicas: 0,
        password: 'secret',
        config: { 'cluster-require-full-coverage': 'no' },
      }),
    );
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
    const variables = { CLUSTER_NODES: nodes, PASSWORD: 'secret' };
    const healthy = await rednest(['doctor'], variables);
    expect(healthy.output).toMatch(/✓ cluster +state ok, 16384 of 16384 slots served by 3 masters/);
    expect(healthy.output).toMatch(/! +(127\.0\.0\.1:\d+(, | and )?){3} have no replica/);
    expect(healthy.code).toBe(0);

    await cluster.nodes[0]!.kill();
    const broken = await eventually(async () => {
      const ran = await rednest(['doctor'], variables);
      return ran.output.includes('slots served by') && !ran.output.includes('16384 of 16384') && ran;
    }, 15_000);
    expect(broken.output).toMatch(/✗ address +127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    expect(broken.output).toMatch(/✗ cluster +state \w+, 10\d{3} of 16384 slots served/);
    expect(broken.code).not.toBe(0);
  });

  it('asks each Sentinel for the master, and whether there is a quorum', async () => {
    const group = opened.add(await startSentinel({ replicas: 1, password: 'secret' }));
    const variables = {
      SENTINELS: group.sentinels.map(({ host, port }) => `${host}:${port}`).join(','),
      SENTINEL_MASTER: group.masterName,
      PASSWORD: 'secret',
    };
    const healthy = await rednest(['doctor'], variables);
    expect(healthy.output.match(/names 127\.0\.0\.1:\d+ as the master/g)).toHaveLength(3);
    expect(healthy.output).toContain('quorum: 3 usable Sentinels');
    expect(healthy.output).toContain('master with 1 replica in step');
    expect(healthy.code).toBe(0);

    const wrongName = await rednest(['doctor', '--timeout', '2s'], {
      ...variables,
      SENTINEL_MASTER: 'other',
    });
    expect(wrongName.output).toContain('REDIS_SENTINEL_MASTER');
    expect(wrongName.code).toBe(3);

    const [first, second] = group.sentinels;
    await Promise.all([first!.kill(), second!.kill()]);
    const broken = await eventually(async () => {
      const ran = await rednest(['doctor'], variables);
      return ran.output.includes('no quorum') && ran;
    }, 15_000);
    expect(broken.output.match(/✗ address/g)).not.toBeNull();
    expect(broken.code).toBe(1);
  });
});
