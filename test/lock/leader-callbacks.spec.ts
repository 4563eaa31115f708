import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockConfigurationError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplicas, textsOf, type LeaderReplica } from './fixtures/leader-replica.js';

const opened = new Opened();

describe('callbacks', () => {
  it('keep the office when elected has resolved; deposed is called once for each, and awaited', async () => {
    const { replicas } = await startReplicas(opened, 2);
    const deeds: string[] = [];
    const leaders = replicas.map(({ locks }, index) => {
      const leader = locks.leader('ranking');
      leader.start({
        elected: () => deeds.push(`elected ${index}`),
        deposed: async (loss) => {
          deeds.push(`deposed ${index} ${loss?.reason}`);
          await sleep(100);
          deeds.push(`done ${index}`);
        },
      });
      return leader;
    });
    await eventually(() => deeds.length === 1);
    const first = leaders.findIndex(({ isLeader }) => isLeader);
    const second = 1 - first;
    await sleep(100);
    expect(deeds).toEqual([`elected ${first}`]);
    await replicas[first]!.app.close();
    await eventually(() => leaders[second]!.isLeader);
    await leaders[second]!.stop();
    expect(deeds).toEqual([
      `elected ${first}`,
      `deposed ${first} shutdown`,
      `done ${first}`,
      `elected ${second}`,
      `deposed ${second} undefined`,
      `done ${second}`,
    ]);
  });

  it('that do not come to an end delay a shutdown by grace, and no more', async () => {
    const { replicas } = await startReplicas(opened, 2);
    const [first, second] = replicas as [LeaderReplica, LeaderReplica];
    const leader = first.locks.leader('ranking', { grace: 100 });
    let deposed = 0;
    leader.start({
      elected: () => undefined,
      deposed: () => {
        deposed++;
        return new Promise(() => undefined);
      },
    });
    await eventually(() => leader.isLeader);
    await first.app.close();
    expect(deposed).toBe(1);
    expect(await second.locks.tryAcquire('leader:ranking')).toBeDefined();
  });

  it('that fail are logged, and the replica stands again after a pause', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const leader = replica.locks.leader('ranking');
    const electedAt: number[] = [];
    let deposed = 0;
    leader.start({
      elected: () => {
        electedAt.push(performance.now());
        if (electedAt.length === 1) throw new Error('of elected');
      },
      deposed: () => {
        deposed++;
        throw new Error('of deposed');
      },
    });
    await eventually(() => deposed === 1);
    expect(leader.isLeader).toBe(false);
    await eventually(() => leader.isLeader);
    expect(electedAt[1]! - electedAt[0]!).toBeGreaterThan(400);
    await leader.stop();
    expect([electedAt.length, deposed]).toEqual([2, 2]);
    // The stacks are beside the messages.
    expect(textsOf([replica])).toEqual([
      "'elected' of the leader 'ranking' has failed: Error: of elected",
      "'deposed' of the leader 'ranking' has failed: Error: of deposed",
      "'deposed' of the leader 'ranking' has failed: Error: of deposed",
    ]);
  });

  it('may take all of the term: what its signal has aborted is no failure', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const leader = replica.locks.leader('ranking');
    let deposed = 0;
    leader.start({
      elected: ({ signal }) => sleep(60_000, undefined, { signal }),
      deposed: () => void deposed++,
    });
    await eventually(() => leader.isLeader);
    await leader.stop();
    expect(deposed).toBe(1);
    expect(textsOf([replica])).toEqual([]);
  });

  it('run within the term: it is the current lease', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const leader = replica.locks.leader('ranking');
    let isCurrent: boolean | undefined;
    leader.start({ elected: (term) => void (isCurrent = replica.locks.current() === term) });
    await eventually(() => isCurrent);
    await leader.stop();
  });

  it('and options that are none are refused by name', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [{ locks }] = replicas as [LeaderReplica];
    expect(() => locks.leader('')).toThrow(LockConfigurationError);
    expect(() => locks.leader('ranking', { ttl: 0 })).toThrow('ttl: 0 is not more than 0 ms');
    expect(() => locks.leader('ranking', { grace: -1 })).toThrow('grace: -1 is not a duration');
    expect(() => locks.leader('ranking', { wait: 5 } as object)).toThrow('wait: is not an option');
    expect(() => locks.leader('ranking').start({} as never)).toThrow('elected: undefined is not a function');
  });
});
