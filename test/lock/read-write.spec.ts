import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { Lease, Lock, LockService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications, Overlap } from './fixtures/model-applications.js';
import { ModelRun, type Step } from './fixtures/model-run.js';

const applications = new Applications();

const waitingIn = (many: readonly LockService[]): number =>
  many.reduce((sum, locks) => sum + locks.stats().waiting, 0);

/** Steps of clients that take one of these weights. */
const steps = (...weights: number[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('arrive'), weight: fc.constantFrom(...weights) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('release'), which: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel'), which: fc.nat(20) }) },
    ),
    { minLength: 1, maxLength: 25 },
  );

/** Waits in order of arrival, noting who is let in. */
class Line {
  readonly order: string[] = [];
  readonly leases = new Map<string, Lease>();
  readonly #many: readonly LockService[];
  readonly #done: Promise<unknown>[] = [];

  constructor(many: readonly LockService[]) {
    this.#many = many;
  }

  async join(who: string, lock: Lock): Promise<void> {
    const before = waitingIn(this.#many);
    const acquiring = lock.acquire({ wait: '10s' });
    const noting = acquiring.then((lease) => {
      this.order.push(who);
      this.leases.set(who, lease);
    });
    this.#done.push(noting);
    await eventually(() => waitingIn(this.#many) === before + 1);
  }

  async leave(who: string): Promise<void> {
    await eventually(() => this.leases.has(who));
    expect(await this.leases.get(who)!.release()).toBe('released');
  }

  async end(): Promise<void> {
    await Promise.all(this.#done);
  }
}

describe('a read/write lock', () => {
  it('lets in many to read, or one to write', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const [first, second] = [one!.readWrite(name), other!.readWrite(name)];
    const readers = [await first.read.acquire(), await second.read.acquire(), await second.read.acquire()];
    expect(await first.write.tryAcquire()).toBeUndefined();
    await Promise.all(readers.map((lease) => lease.release()));
    const writer = await first.write.tryAcquire();
    expect(writer!.fence).toBeGreaterThan(Math.max(...readers.map(({ fence }) => fence)));
    expect(await second.write.tryAcquire()).toBeUndefined();
    expect(await second.read.tryAcquire()).toBeUndefined();
    await writer!.release();
    expect(await second.read.tryAcquire()).toBeDefined();
  });

  it('lets in by arrival, readers next to each other together, and no reader past a writer', async () => {
    const many = await applications.openMany(2);
    const name = applications.name();
    const [one, other] = many.map((locks) => locks.readWrite(name));
    const holder = await one!.read.acquire();
    const line = new Line(many);
    await line.join('w1', other!.write);
    await line.join('r1', one!.read);
    await line.join('r2', other!.read);
    await line.join('w2', one!.write);
    await line.join('r3', one!.read);
    expect(await one!.read.tryAcquire()).toBeUndefined();
    await holder.release();
    await line.leave('w1');
    await eventually(() => line.leases.size === 3);
    expect(line.order.slice(1).toSorted()).toEqual(['r1', 'r2']);
    await line.leave('r2');
    expect(line.leases.size).toBe(3);
    await line.leave('r1');
    await line.leave('w2');
    await line.leave('r3');
    await line.end();
    expect(line.order.at(-2)).toBe('w2');
  });

  it('lets in readers that waited for a writer who gives up', async () => {
    const many = await applications.openMany(2);
    const name = applications.name();
    const [one, other] = many.map((locks) => locks.readWrite(name));
    const holder = await one!.read.acquire();
    const controller = new AbortController();
    const writing = other!.write.acquire({ signal: controller.signal }).catch((error: unknown) => error);
    await eventually(() => waitingIn(many) === 1);
    const reading = one!.read.acquire({ wait: '10s' });
    await eventually(() => waitingIn(many) === 2);
    controller.abort();
    await (await reading).release();
    expect(await writing).toMatchObject({ code: 'LOCK_CANCELLED' });
    await holder.release();
  });

  it('is not kept from a writer by readers that never cease', async () => {
    const many = await applications.openMany(2);
    const name = applications.name();
    const written = new AbortController();
    const read = async (index: number): Promise<void> => {
      const { read: side } = many[index % 2]!.readWrite(name);
      while (!written.signal.aborted) await side.using({ wait: '15s' }, () => sleep(5));
    };
    const reading = Array.from({ length: 8 }, (_, index) => read(index));
    await sleep(50);
    await many[0]!.readWrite(name).write.using({ wait: '15s' }, () => written.abort());
    await Promise.all(reading);
  });

  it('never has a reader in with a writer, under load', async () => {
    const many = await applications.openMany(3);
    const name = applications.name();
    const [readers, writers] = [new Overlap(), new Overlap()];
    const violations: string[] = [];
    const run = async (index: number): Promise<void> => {
      const { read, write } = many[index % 3]!.readWrite(name);
      for (let turn = 0; turn < 8; turn++) {
        const isWriter = Math.random() < 0.3;
        await (isWriter ? write : read).using({ wait: '15s' }, async () => {
          const own = isWriter ? writers : readers;
          own.enter();
          await sleep(Math.random() * 4);
          if (writers.inside > 0 && readers.inside + writers.inside > 1) violations.push(`client ${index}`);
          own.leave();
        });
      }
    };
    await Promise.all(Array.from({ length: 24 }, (_, index) => run(index)));
    expect(violations).toEqual([]);
    expect(writers.most).toBeLessThanOrEqual(1);
    expect(readers.most).toBeGreaterThan(1);
    expect(readers.total + writers.total).toBe(24 * 8);
  });

  it('gives back what a reader or a writer no longer renews', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const [first, second] = [one!.readWrite(name), other!.readWrite(name)];
    await first.read.acquire({ ttl: '300ms', renew: false });
    const writer = await second.write.acquire({ wait: '5s', ttl: '300ms', renew: false });
    const reader = await first.read.acquire({ wait: '5s' });
    expect(writer.lost).toMatchObject({ reason: 'expired' });
    expect(await reader.release()).toBe('released');
  });
});

describe('what is fair, compared with a model', () => {
  const runs = Number(process.env.LOCK_RUNS ?? 12);

  it('holds of a read/write lock', async () => {
    const many = await applications.openMany(2);
    const play = async (list: Step[]): Promise<void> => {
      const name = applications.name();
      const lockFor = (weight: number, index: number): Lock => {
        const { read, write } = many[index % 2]!.readWrite(name);
        return weight === 1 ? read : write;
      };
      await new ModelRun(1_000, lockFor, () => waitingIn(many)).play(list);
    };
    await fc.assert(fc.asyncProperty(steps(1, 1, 1_000), play), { numRuns: runs, endOnFailure: true });
  });

  it.each([1, 3])('holds of %p permits', async (permits) => {
    const many = await applications.openMany(2);
    const play = async (list: Step[]): Promise<void> => {
      const name = applications.name();
      const lockFor = (_: number, index: number): Lock => {
        const locks = many[index % 2]!;
        return permits === 1 ? locks.lock(name) : locks.semaphore(name, permits);
      };
      await new ModelRun(permits, lockFor, () => waitingIn(many)).play(list);
    };
    await fc.assert(fc.asyncProperty(steps(1), play), { numRuns: runs, endOnFailure: true });
  });
});
