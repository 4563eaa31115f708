import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { messageOf } from '../../support/child-process.js';
import { redisUrl } from '../../support/redis-url.js';
import { atMost, type Goal, type Table } from '../../support/report.js';
import { rounded } from '../../support/statistics.js';
import { serverUsage } from '../../support/server-usage.js';
import type { SubjectName } from '../subjects/index.js';
import { ttl } from '../subjects/subject.js';

const leases = 10_000;
/** How many resources one script of rednest renews at most. */
const renewedTogether = 500;
/** rednest renews at a third of the ttl; the peers later. */
const interval = ttl / 3;
const milliseconds = 6 * interval;
const sampleEvery = 250;

const cases: readonly { name: SubjectName; leases: number; title: string }[] = [
  { name: 'rednest', leases, title: 'rednest' },
  { name: 'rednest', leases: 0, title: 'rednest, no leases' },
  { name: 'redis-semaphore', leases, title: 'redis-semaphore' },
  { name: 'redlock', leases, title: 'redlock, using' },
  { name: 'sesamecare', leases, title: '@sesamecare-oss/redlock, using' },
];

interface Sample {
  /** Scripts that the server ran. */
  readonly scripts: number;
  /** Processor time in microseconds: of the process that holds the leases, and of the server. */
  readonly own: number;
  readonly server: number;
}

/** One process that holds many leases, and does nothing with them. */
export async function* idle(): AsyncGenerator<Table> {
  const redis = new Redis(redisUrl());
  const figures = new Map<string, Record<string, number>>();
  const goals: Goal[] = [];
  try {
    for (const { name, leases: count, title } of cases) {
      const samples = await observe(redis, name, count);
      const row = rowOf(samples);
      figures.set(title, row);
      if (title === 'rednest') goals.push(scriptsGoal(row));
    }
  } finally {
    redis.disconnect();
  }
  goals.push(betweenGoal(figures));
  yield {
    title: `${leases} idle leases in one process, ttl ${ttl / 1_000} s`,
    figures,
    goals,
    notes: [
      `Processor time is milliseconds a second; "between" is of the samples (each ${sampleEvery} ms) without a script.`,
      `An interval is ${Math.round(interval)} ms, a third of the ttl, and one script renews up to ${renewedTogether} resources.`,
    ],
  };
}

async function observe(redis: Redis, name: SubjectName, count: number): Promise<Sample[]> {
  const holder = fork(new URL('./holder.js', import.meta.url), [name, redisUrl(), String(count)]);
  try {
    await messageOf(holder);
    // What was left behind by acquiring is collected meanwhile.
    await wait(interval);
    await processorTimeOf(holder);
    let before = await serverUsage(redis);
    const samples: Sample[] = [];
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      await wait(sampleEvery);
      const own = await processorTimeOf(holder);
      const after = await serverUsage(redis);
      samples.push({
        own,
        server: after.processor - before.processor,
        scripts: after.scripts - before.scripts,
      });
      before = after;
    }
    return samples;
  } finally {
    if (holder.connected) holder.disconnect();
    if (holder.exitCode === null) await once(holder, 'exit');
  }
}

async function processorTimeOf(holder: ChildProcess): Promise<number> {
  const answer = messageOf(holder);
  holder.send('usage');
  return (await answer) as number;
}

function rowOf(samples: readonly Sample[]): Record<string, number> {
  const between = samples.filter(({ scripts }) => scripts === 0);
  return {
    'scripts an interval': rounded(total(samples, 'scripts') / (milliseconds / interval)),
    'most in a sample': Math.max(...samples.map(({ scripts }) => scripts)),
    'samples between': between.length,
    process: aSecond(samples, 'own'),
    'process between': aSecond(between, 'own'),
    Redis: aSecond(samples, 'server'),
    'Redis between': aSecond(between, 'server'),
  };
}

/** Milliseconds a second. */
function aSecond(samples: readonly Sample[], figure: keyof Sample): number {
  return rounded(total(samples, figure) / (samples.length * sampleEvery));
}

function total(samples: readonly Sample[], figure: keyof Sample): number {
  return samples.reduce((sum, sample) => sum + sample[figure], 0);
}

function scriptsGoal(row: Record<string, number>): Goal {
  const most = leases / renewedTogether;
  return atMost(`scripts of rednest an interval`, row['scripts an interval'] ?? Number.NaN, most);
}

/** What asking for it costs is in both. */
function betweenGoal(figures: ReadonlyMap<string, Record<string, number>>): Goal {
  const own = (title: string) => figures.get(title)?.['process between'] ?? Number.NaN;
  const more = own('rednest') - own('rednest, no leases');
  return atMost('processor time of rednest between, more than without leases, in ms a second', more, 1);
}
