import 'reflect-metadata';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron, CronExpression, Interval, ScheduleModule } from '@nestjs/schedule';
import {
  Locked,
  lockChannel,
  LockLostError,
  LockModule,
  LockService,
  RedisModule,
  type LockEvents,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

const opened = new Opened();

const ONCE = { onContention: 'skip', atLeastFor: '1h' } as const;

@Injectable()
abstract class Job {
  readonly fences: number[] = [];
  constructor(readonly locks: LockService) {}

  protected run(): void {
    this.fences.push(this.locks.current().fence);
  }
}

@Injectable()
class AboveInterval extends Job {
  @Locked({ key: 'job', ...ONCE })
  @Interval(50)
  async refresh(): Promise<void> {
    this.run();
  }
}

@Injectable()
class BelowInterval extends Job {
  @Interval(50)
  @Locked({ key: 'job', ...ONCE })
  async refresh(): Promise<void> {
    this.run();
  }
}

@Injectable()
class AboveCron extends Job {
  @Locked({ key: 'job', ...ONCE })
  @Cron(CronExpression.EVERY_SECOND)
  async refresh(): Promise<void> {
    this.run();
  }
}

/** By `performance.now()`: the replicas of a test are in one process. */
interface Run {
  from: number;
  to: number;
}

/** The next timer fires while it runs; whose turn it is then is found out by waiting a little. */
@Injectable()
class Often extends Job {
  readonly runs: Run[] = [];

  @Locked({ key: 'job', onContention: 'skip', wait: '40ms' })
  @Interval(50)
  async refresh(): Promise<void> {
    const from = performance.now();
    await sleep(Math.random() * 60);
    this.runs.push({ from, to: performance.now() });
  }
}

/** Its first run hangs, whatever its signal says. */
@Injectable()
class Hanging extends Job {
  readonly reasons: unknown[] = [];
  end: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => (this.end = resolve));

  @Locked({ key: 'job', onContention: 'skip', ttl: '300ms', atMostFor: '600ms', atLeastFor: '300ms' })
  @Interval(50)
  async refresh(): Promise<void> {
    const { signal } = this.locks.current();
    this.run();
    await once(signal, 'abort');
    this.reasons.push(signal.reason);
    await this.#ended;
  }
}

/** Two replicas with a job each. */
async function startReplicas<J extends Job>(job: Type<J>) {
  const server = await opened.server({});
  const replica = async () => {
    const modules = [RedisModule.forRoot(server.options), LockModule.forRoot(), ScheduleModule.forRoot()];
    const { app } = await startApplication(modules, [job]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    return app.get(job);
  };
  return [await replica(), await replica()] as const;
}

/** How many calls of each replica were skipped. */
function countSkipped(): Map<string, number> {
  const skipped = new Map<string, number>();
  const count = (event: unknown): void => {
    const { connectionId } = event as LockEvents['failed'];
    skipped.set(connectionId, (skipped.get(connectionId) ?? 0) + 1);
  };
  subscribe(lockChannel('failed'), count);
  unsubscribers.push(() => unsubscribe(lockChannel('failed'), count));
  return skipped;
}

const unsubscribers: (() => void)[] = [];

afterEach(() => {
  for (const stop of unsubscribers.splice(0)) stop();
});

describe('a job under a lock', () => {
  it.each([AboveInterval, BelowInterval, AboveCron])('is done once, by one replica: %p', async (type) => {
    const skipped = countSkipped();
    const [one, two] = await startReplicas<Job>(type);
    // Both have tried again since.
    await eventually(() => skipped.size === 2 && [...skipped.values()].every((count) => count >= 2), 15_000);
    expect([...one.fences, ...two.fences]).toHaveLength(1);
  });

  it('is done again by whoever comes first, without atLeastFor', async () => {
    const [one, two] = await startReplicas(Often);
    await eventually(() => one.runs.length > 4 && two.runs.length > 4, 15_000);
    const runs = [...one.runs, ...two.runs].toSorted((first, second) => first.from - second.from);
    const overlapping = runs.filter(({ from }, index) => index > 0 && from < runs[index - 1]!.to);
    expect(overlapping).toEqual([]);
  });

  it('that hangs is told after atMostFor, and the next is let in', async () => {
    const [one, two] = await startReplicas(Hanging);
    try {
      const reasons = await eventually(() => {
        expect(one.fences.length + two.fences.length).toBeGreaterThanOrEqual(2);
        const found = [...one.reasons, ...two.reasons];
        return found.length > 0 && found;
      }, 15_000);
      expect(reasons[0]).toBeInstanceOf(LockLostError);
      expect(reasons[0]).toMatchObject({ reason: 'overdue', resource: 'job' });
    } finally {
      one.end();
      two.end();
    }
  });
});
