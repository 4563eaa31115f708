import { describe, expect, it } from '@jest/globals';
import { LeaderRunningError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import {
  LONG,
  Office,
  serve,
  startReplicas,
  textsOf,
  type LeaderReplica,
} from './fixtures/leader-replica.js';

const opened = new Opened();

describe('three replicas in a loop', () => {
  it('have one lead at a time, each in its turn, under fences that rise', async () => {
    const { replicas } = await startReplicas(opened, 3);
    const office = new Office();
    const loops = replicas.map(({ locks }) => {
      const leader = locks.leader('ranking');
      return { leader, ended: serve(leader, office, (term) => term.sleep(20)) };
    });
    await eventually(() => office.fences.length >= 9, 15_000);
    for (const { leader } of loops) await leader.stop();
    await Promise.all(loops.map(({ ended }) => ended));
    expect(office.mostLeading).toBe(1);
    expect(office.leading).toBe(0);
    expect(office.isRising).toBe(true);
  });

  it('hand over at once when the one that leads shuts down', async () => {
    const { replicas } = await startReplicas(opened, 3);
    const office = new Office();
    const loops = replicas.map((each) => each.loop(office));
    for (let terms = 1; terms <= 3; terms++) {
      await eventually(() => office.fences.length === terms);
      const index = loops.findIndex(({ leader }) => leader.isLeader);
      await replicas[index]!.app.close();
      await loops[index]!.ended;
    }
    expect(office.mostLeading).toBe(1);
    expect(office.isRising).toBe(true);
  });
});

describe('the loop', () => {
  it.each(['break', 'return', 'throw'])('gives the term up at once by %s', async (way) => {
    const { replicas } = await startReplicas(opened, 2);
    const [first, second] = replicas as [LeaderReplica, LeaderReplica];
    let signal: AbortSignal | undefined;
    const leave = async (): Promise<void> => {
      for await (const term of first.locks.leader('ranking')) {
        ({ signal } = term);
        if (way === 'break') break;
        if (way === 'return') return;
        throw new Error('of the body');
      }
    };
    const outcome = await leave().catch((error: Error) => error.message);
    expect(outcome).toBe(way === 'throw' ? 'of the body' : undefined);
    expect(signal?.aborted).toBe(true);
    expect(await second.locks.tryAcquire('leader:ranking')).toBeDefined();
  });

  it.each(['signal', 'stop'])(
    'ends by %s without an error, while it leads and while it waits',
    async (way) => {
      const { replicas } = await startReplicas(opened, 2);
      const office = new Office();
      const controllers = replicas.map(() => new AbortController());
      const loops = replicas.map((each, index) => each.loop(office, { signal: controllers[index]!.signal }));
      await eventually(() => loops.some(({ leader }) => leader.isLeader));
      const first = loops.findIndex(({ leader }) => leader.isLeader);
      const end = async (index: number): Promise<void> => {
        if (way === 'stop') await loops[index]!.leader.stop();
        else controllers[index]!.abort();
        await loops[index]!.ended;
      };
      await end(1 - first);
      expect(loops[first]!.leader.isLeader).toBe(true);
      await end(first);
      expect(office.fences).toHaveLength(1);
      expect(await replicas[0]!.locks.tryAcquire('leader:ranking')).toBeDefined();
      expect(textsOf(replicas)).toEqual([]);
    },
  );

  it.each(['stop', 'signal', 'shutdown'])(
    'rests after a term that its body gives up at once, until %s ends it',
    async (way) => {
      const { replicas } = await startReplicas(opened, 1);
      const [replica] = replicas as [LeaderReplica];
      const controller = new AbortController();
      const leader = replica.locks.leader('ranking', { signal: controller.signal });
      const begunAt: number[] = [];
      const ended = serve(leader, new Office(), () => begunAt.push(performance.now()));
      await eventually(() => begunAt.length === 2);
      expect(begunAt[1]! - begunAt[0]!).toBeGreaterThan(900);
      await eventually(() => replica.locks.held().length === 0);
      if (way === 'stop') await leader.stop();
      else if (way === 'signal') controller.abort();
      else await replica.app.close();
      await ended;
      expect(begunAt).toHaveLength(2);
    },
  );

  it('lets another have the office meanwhile', async () => {
    const { replicas } = await startReplicas(opened, 2);
    const [first, second] = replicas as [LeaderReplica, LeaderReplica];
    const leader = first.locks.leader('ranking');
    const led = serve(leader, new Office(), () => undefined);
    const office = new Office();
    const other = second.loop(office);
    await eventually(() => office.fences.length === 1);
    await Promise.all([leader.stop(), other.leader.stop()]);
    await Promise.all([led, other.ended]);
  });

  it('does not begin where its signal was aborted before', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const office = new Office();
    await replica.loop(office, { signal: AbortSignal.abort() }).ended;
    expect(office.fences).toEqual([]);
  });

  it('keeps the office until its body has ended, for as long as grace allows', async () => {
    const { replicas } = await startReplicas(opened, 2);
    const [first, second] = replicas as [LeaderReplica, LeaderReplica];
    const isFree = async (): Promise<boolean> => {
      const lease = await second.locks.tryAcquire('leader:ranking');
      await lease?.release();
      return lease !== undefined;
    };
    const leader = first.locks.leader('ranking');
    let finish = (): void => undefined;
    const ended = serve(leader, new Office(), () => new Promise<void>((resolve) => (finish = resolve)));
    await eventually(() => leader.isLeader);
    const stopped = leader.stop();
    expect(leader.isLeader).toBe(false);
    expect(await isFree()).toBe(false);
    finish();
    await Promise.all([stopped, ended]);
    expect(await isFree()).toBe(true);

    const hasty = first.locks.leader('ranking', { grace: 50 });
    const stuck = serve(hasty, new Office(), () => new Promise<void>((resolve) => (finish = resolve)));
    await eventually(() => hasty.isLeader);
    await hasty.stop();
    expect(await isFree()).toBe(true);
    expect(textsOf(replicas)).toEqual([
      "'leader:ranking' is released 50 ms after its term: what runs under it has not ended",
    ]);
    finish();
    await stuck;
  });

  it('runs once at a time, and again when it has stopped', async () => {
    const { replicas } = await startReplicas(opened, 1);
    const [replica] = replicas as [LeaderReplica];
    const leader = replica.locks.leader('ranking');
    const office = new Office();
    for (let run = 1; run <= 3; run++) {
      const ended = serve(leader, office, (term) => term.sleep(LONG));
      await eventually(() => office.fences.length === run);
      await expect(leader[Symbol.asyncIterator]().next()).rejects.toThrow(LeaderRunningError);
      expect(() => leader.start({ elected: () => undefined })).toThrow("Leader 'ranking' runs already");
      await leader.stop();
      expect(leader.isLeader).toBe(false);
      leader.start({ elected: ({ fence }) => office.fences.push(fence) });
      await eventually(() => leader.isLeader);
      await leader.stop();
      await ended;
      office.fences.pop();
    }
  });
});
