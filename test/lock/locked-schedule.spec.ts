import 'reflect-metadata';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron, CronExpression, Interval, ScheduleModule } from '@nestjs/schedule';
import { Locked, LockLostError, LockModule, LockService, RedisModule } from 'rednest';
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

/** A job of one replica; `tries` is called at each. */
type JobOf = (tries: () => void) => Type<Job>;

const keyOf = (tries: () => void) => (): string => {
  tries();
  return 'job';
};

const aboveInterval: JobOf = (tries) => {
  @Injectable()
  class AboveInterval extends Job {
    @Locked({ key: keyOf(tries), ...ONCE })
    @Interval(50)
    async refresh(): Promise<void> {
      this.run();
    }
  }
  return AboveInterval;
};

const belowInterval: JobOf = (tries) => {
  @Injectable()
  class BelowInterval extends Job {
    @Interval(50)
    @Locked({ key: keyOf(tries), ...ONCE })
    async refresh(): Promise<void> {
      this.run();
    }
  }
  return BelowInterval;
};

const aboveCron: JobOf = (tries) => {
  @Injectable()
  class AboveCron extends Job {
    @Locked({ key: keyOf(tries), ...ONCE })
    @Cron(CronExpression.EVERY_SECOND)
    async refresh(): Promise<void> {
      this.run();
    }
  }
  return AboveCron;
};

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

/** Two replicas with a job each, the same or of their own. */
async function startReplicas<J extends Job>(first: Type<J>, second = first) {
  const server = await opened.server({});
  const replica = async (job: Type<J>) => {
    const modules = [RedisModule.forRoot(server.options), LockModule.forRoot(), ScheduleModule.forRoot()];
    const { app } = await startApplication(modules, [job]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    return app.get(job);
  };
  return [await replica(first), await replica(second)] as const;
}

describe('a job under a lock', () => {
  it.each([
    ['above @Interval', aboveInterval],
    ['below @Interval', belowInterval],
    ['above @Cron', aboveCron],
  ])('is done once, by one replica: %s', async (_, jobOf) => {
    const tries = [0, 0];
    const [one, two] = await startReplicas(
      jobOf(() => tries[0]!++),
      jobOf(() => tries[1]!++),
    );
    // Both have come again since.
    await eventually(() => tries.every((count) => count >= 3), 15_000);
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
