import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { LockConfigurationError, LockNotHeldError, type Lease, type LockService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

const applications = new Applications();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Takes turns under a lock, and plans each from within the one before. */
async function takeTurns(
  locks: LockService,
  names: readonly string[],
  count: number,
): Promise<WeakRef<Lease>[]> {
  const leases: WeakRef<Lease>[] = [];
  await new Promise<void>((resolve, reject) => {
    const next = (): void => {
      const turn = locks.using(names[leases.length % names.length]!, (lease) => {
        leases.push(new WeakRef(lease));
        // The last keeps its context for as long as the test runs.
        if (leases.length < count) {
          setTimeout(next, 0);
          return;
        }
        endings.push(setInterval(() => undefined, 10_000));
        resolve();
      });
      turn.catch(reject);
    };
    next();
  });
  return leases;
}

const endings: NodeJS.Timeout[] = [];

describe('current()', () => {
  it('is the innermost that is not released', async () => {
    const locks = await applications.open();
    const [a, b] = [applications.name(), applications.name()];
    await locks.using(a, async (outer) => {
      const after = await locks.using(b, async (inner) => {
        expect(locks.current()).toBe(inner);
        return sleep(50).then(() => locks.current());
      });
      expect(after).toBeDefined();
      let later: Promise<Lease> | undefined;
      await locks.using(b, async () => {
        later = sleep(100).then(() => locks.current());
      });
      expect(await later).toBe(outer);
    });
  });

  it('is none in what goes on after the release', async () => {
    const locks = await applications.open();
    let later: Promise<unknown> | undefined;
    await locks.using(applications.name(), async (lease) => {
      later = sleep(100).then(() => {
        expect(lease.remaining).toBe(0);
        return locks.current();
      });
      later.catch(() => undefined);
    });
    await expect(later).rejects.toThrow(LockNotHeldError);
  });

  it('is one that is lost, as long as its routine runs', async () => {
    const locks = await applications.open();
    await locks.using(applications.name(), { ttl: '100ms', renew: false }, async (lease) => {
      await eventually(() => lease.lost !== undefined);
      expect(locks.current()).toBe(lease);
    });
  });

  it('of a resource is the innermost that has it', async () => {
    const locks = await applications.open();
    const [a, b, c] = [applications.name(), applications.name(), applications.name()];
    await locks.using([a, b], (both) =>
      locks.using(c, (single) => {
        expect(locks.current()).toBe(single);
        expect(locks.current(a)).toBe(both);
        expect(locks.current(b)).toBe(both);
        expect(locks.current(c)).toBe(single);
        expect(() => locks.current('another')).toThrow(LockNotHeldError);
        expect(() => locks.current('another')).toThrow(/'another'/);
        expect(() => locks.current('')).toThrow(LockConfigurationError);
        expect(() => locks.current(5 as never)).toThrow(LockConfigurationError);
      }),
    );
    expect(() => locks.current(a)).toThrow(LockNotHeldError);
  });
});

describe('a loop that plans each turn from within the one before', () => {
  it.each([1, 2])('keeps no lease of the past, with %p resources in turn', async (count) => {
    const locks = await applications.open();
    const names = Array.from({ length: count }, () => applications.name());
    const leases = await takeTurns(locks, names, 100);
    try {
      await eventually(() => {
        collectGarbage();
        return leases.filter((lease) => lease.deref()).length < 10;
      });
    } finally {
      for (const timer of endings.splice(0)) clearInterval(timer);
    }
  });
});
