import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { lockChannel, type LeaseEvent, type LockEvents, type LockLostError } from 'rednest';
import { startRedis } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { LeaderProcess } from './fixtures/leader-handle.js';
import { LONG, Office, startReplicas, textsOf, type LeaderReplica } from './fixtures/leader-replica.js';

/** What a busy machine may add, in milliseconds. */
const MARGIN = 2_000;

const opened = new Opened();

describe('a term', () => {
  it('that is lost is followed by another', async () => {
    const { replicas, server } = await startReplicas(opened, 1, 1_500);
    const [replica] = replicas as [LeaderReplica];
    const leader = replica.locks.leader('ranking');
    const losses: (string | undefined)[] = [];
    leader.start({ elected: () => undefined, deposed: (loss) => losses.push(loss?.reason) });
    await eventually(() => leader.isLeader);
    const { fence } = leader.term!;
    // As where the data was lost, and another has led since.
    const admin = await server.admin();
    const state = 'lock:{leader%3Aranking}';
    await admin
      .multi()
      .del(state)
      .hset(state, { fence: fence + 1 })
      .exec();
    await eventually(() => losses.length === 1 && leader.isLeader);
    expect(losses).toEqual(['taken']);
    expect(leader.term!.fence).toBeGreaterThan(fence);
    await leader.stop();
  });

  it('that is released by hand ends at once, and another follows', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const leader = replica.locks.leader('ranking');
    const losses: (LockLostError | undefined)[] = [];
    leader.start({ elected: () => undefined, deposed: (loss) => losses.push(loss) });
    await eventually(() => leader.isLeader);
    const first = leader.term!;
    expect(await first.release()).toBe('released');
    expect(first.isLeading).toBe(false);
    expect(await first.sleep(LONG)).toBe(false);
    await eventually(() => leader.isLeader);
    expect(losses).toEqual([undefined]);
    expect(leader.term!.fence).toBeGreaterThan(first.fence);
    await leader.stop();
  });

  it('is told of on the channels, its beginning and its end', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const told: [string, string, number][] = [];
    const listen = (name: keyof LockEvents) => {
      const listener = (event: unknown): void => {
        const { resource, fence } = event as LeaseEvent;
        told.push([name, resource, fence]);
      };
      subscribe(lockChannel(name), listener);
      return () => unsubscribe(lockChannel(name), listener);
    };
    const stops = [listen('elected'), listen('deposed')];
    const { leader, ended } = replica.loop(new Office());
    await eventually(() => leader.isLeader);
    const { fence } = leader.term!;
    await leader.stop();
    await ended;
    for (const stop of stops) stop();
    expect(told).toEqual([
      ['elected', 'leader:ranking', fence],
      ['deposed', 'leader:ranking', fence],
    ]);
  });
});

describe('Redis killed and started again', () => {
  it('ends the term in time, is told of once, and has one replica lead again', async () => {
    const { replicas, server } = await startReplicas(opened, 2, 500);
    const office = new Office();
    const loops = replicas.map((each) => each.loop(office));
    await eventually(() => office.leading === 1);
    await server.kill();
    await eventually(() => office.leading === 0);
    const texts = (): string[] => textsOf(replicas).filter((text) => text.includes('election'));
    await eventually(() => texts().length === 2, 20_000);
    await server.restart();
    await eventually(() => office.leading === 1);
    await eventually(() => texts().length === 4, 10_000);
    expect(loops.filter(({ leader }) => leader.isLeader)).toHaveLength(1);
    expect(office.mostLeading).toBe(1);
    expect(office.isRising).toBe(true);
    const cannot = expect.stringMatching(/^Cannot stand for election as 'leader:ranking', and tries again: /);
    const again = "Stands for election as 'leader:ranking' again";
    expect(texts()).toEqual([cannot, cannot, again, again]);
  }, 45_000);
});

describe('Redis that is away', () => {
  it('keeps neither who leads nor who waits from shutting down', async () => {
    const { replicas, server } = await startReplicas(opened, 2);
    const office = new Office();
    const loops = replicas.map((each) => each.loop(office));
    await eventually(() => office.leading === 1);
    await server.kill();
    await Promise.all(replicas.map(({ app }) => app.close()));
    await Promise.all(loops.map(({ ended }) => ended));
    expect(office.leading).toBe(0);
    expect(office.fences).toHaveLength(1);
  });
});

describe('processes', () => {
  it('elect another when the one that leads is killed, and at once when it shuts down', async () => {
    const server = opened.add(await startRedis());
    const ttl = 1_000;
    const processes = Array.from({ length: 3 }, () => opened.add(new LeaderProcess(server.options, ttl)));
    const leading = (): LeaderProcess | false => processes.find(({ isLeading }) => isLeading) ?? false;
    await eventually(() => processes.every(({ isStarted }) => isStarted), 30_000);
    const killed = await eventually(leading);
    processes.splice(processes.indexOf(killed), 1);
    const killedAt = performance.now();
    await killed.kill();
    const second = await eventually(leading, 10_000);
    expect(performance.now() - killedAt).toBeLessThan(ttl + MARGIN);
    expect(second.fences[0]).toBeGreaterThan(killed.fences[0]!);

    expect(await second.close()).toBe(0);
    expect(second.left).toEqual(second.fences);
    expect(second.isFinished).toBe(true);
    processes.splice(processes.indexOf(second), 1);
    const third = await eventually(leading);
    expect(third.fences[0]).toBeGreaterThan(second.fences[0]!);
  }, 45_000);
});
