import { describe, expect, it } from '@jest/globals';
import type { LockService } from 'rednest';
import { startCluster, startRedis, startSentinel, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { openLocks, orderOf, standInLine, type LockProcess } from './fixtures/cluster-locks.js';

const opened = new Opened();

const USER = { username: 'app', password: 'guide-secret' };

/** What both guides together allow, with the connection's own keys and channels taken out again: locks have to do with their own. */
const RULES = `${guideAcl()} resetkeys resetchannels ${guideAcl('lock')}`;

const acl = [`${USER.username} on >${USER.password} ${RULES}`];

/** Three wait behind one who holds it, and one gives up. */
async function queue(
  processes: readonly [LockProcess, LockProcess],
  lock: Parameters<typeof standInLine>[1],
) {
  const held = await lock(processes[0].locks).acquire();
  const line = [await standInLine(processes[0], lock), await standInLine(processes[1], lock)];
  const abort = new AbortController();
  const { lease } = await standInLine(processes[1], lock, { signal: abort.signal });
  abort.abort();
  await expect(lease).rejects.toThrow('cancelled');
  await held.release();
  expect(await orderOf(line)).toEqual([0, 1]);
}

async function useEverything(
  processes: readonly [LockProcess, LockProcess],
  servers: readonly RedisServer[],
): Promise<void> {
  const [{ locks: here }, { locks: there }] = processes;
  await queue(processes, (locks) => locks.lock('plain'));
  await queue(processes, (locks) => locks.lock(['several', 'at', 'once']));
  await queue(processes, (locks) => locks.readWrite('shared').write);
  await queue(processes, (locks) => locks.semaphore('permits', 1));
  const readers = [
    await here.readWrite('shared').read.acquire(),
    await there.readWrite('shared').read.acquire(),
  ];
  for (const lease of readers) await lease.release();
  await renewals(here);
  await loss(here, servers);
  await operate(here, there);
  await lead(here, there);
  // Its holder lets it expire while another waits, who then finds out by asking.
  await here.acquire('left', { ttl: 300, renew: false });
  await (await there.acquire('left', { wait: '10s' })).release();
  await here.using('brief', { atLeastFor: 50, atMostFor: '1s', reentrant: true }, async () => undefined);
}

async function renewals(locks: LockService): Promise<void> {
  const lease = await locks.acquire('renewed', { ttl: 800 });
  const until = performance.now() + 1_000;
  await eventually(() => performance.now() > until && lease.remaining > 0);
  expect(await lease.extend('1m')).toBeGreaterThan(50_000);
  expect(await lease.release()).toBe('released');
}

/** What is held is reinstated when Redis has lost it. */
async function loss(locks: LockService, servers: readonly RedisServer[]): Promise<void> {
  const lease = await locks.acquire('forgotten');
  for (const server of servers) {
    const admin = await server.admin();
    if ((await admin.role())[0] === 'master') await admin.flushall();
  }
  await lease.extend();
  expect(await lease.release()).toBe('released');
}

/** What an operator does. */
async function operate(here: LockService, there: LockService): Promise<void> {
  const lease = await here.acquire('hanging');
  expect(await there.inspect('hanging')).toMatchObject({ holders: [{ fence: lease.fence }] });
  expect(await there.forceRelease('hanging', { reason: 'a test' })).toHaveLength(1);
  await eventually(() => expect(lease.lost).toMatchObject({ reason: 'revoked' }));
}

/** One leads, and hands over to the other. */
async function lead(here: LockService, there: LockService): Promise<void> {
  const fences: number[] = [];
  for await (const term of here.leader('ranking')) {
    fences.push(term.fence);
    break;
  }
  for await (const term of there.leader('ranking')) {
    fences.push(term.fence);
    break;
  }
  expect(fences[1]).toBeGreaterThan(fences[0]!);
}

describe('the smallest ACL of the guide', () => {
  it.each([
    ['a single server', () => startRedis({ acl })],
    ['Sentinel', () => startSentinel({ acl, replicas: 1 })],
    ['a Cluster', () => startCluster({ masters: 3, replicas: 1, acl })],
  ])('is enough for all that locks do on %s', async (_, start) => {
    const servers = opened.add(await start());
    const nodes = 'nodes' in servers ? servers.nodes : 'servers' in servers ? servers.servers : [servers];
    const open = () => openLocks(opened, { ...servers.options, ...USER });
    await useEverything([await open(), await open()], nodes);
    for (const each of nodes) expect(await refusals(each)).toEqual({});
  });

  it('grants nothing that locks can do without', async () => {
    const server = await opened.server({ acl });
    const open = () => openLocks(opened, { ...server.options, ...USER });
    await useEverything([await open(), await open()], [server]);
    const stats = await (await server.admin()).info('commandstats');
    const commands = guideAcl('lock')
      .split(' ')
      .filter((rule) => rule.startsWith('+'));
    for (const rule of commands) expect(stats).toContain(`cmdstat_${rule.slice(1)}:`);
  });
});
