import { runInFlight } from '../support/in-flight.js';
import { redisUrl } from '../support/redis-url.js';
import { compare, type Contender, type Measured, type Schedule } from '../support/rounds.js';
import { openAsyncCacheDedupe } from './async-cache-dedupe.js';
import { openBare } from './bare.js';
import { openBentocache } from './bentocache.js';
import { openCacheable, openCacheManager } from './keyv-caches.js';
import { openRednest } from './rednest.js';
import { timeBeside, timesAsFast, type Goal, type Table } from '../support/report.js';
import { closeAll, type Subject } from './subject.js';
import { cityOf, keysOf } from './values.js';
import { store } from './warm.js';

const schedule: Schedule = { rounds: 15, milliseconds: 100 };
/** Many more than are in flight, so that no two callers ask for the same one. */
const keys = keysOf(10_000);
const batch = 100;
const pipelined = 'bare ioredis, auto-pipelined';

/** Without a local tier: every operation asks the server. */
export async function* redisHit(): AsyncGenerator<Table> {
  const subjects = await open('bench-hit');
  try {
    yield await hits(subjects, 100, (measured) => [timesAsFast(measured, pipelined, 2.5)]);
    yield await hits(subjects, 1_000, (measured) => [timesAsFast(measured, pipelined, 2.5)]);
  } finally {
    await closeAll(subjects);
  }
}

export async function* sequentialHit(): AsyncGenerator<Table> {
  const subjects = await open('bench-sequential');
  try {
    yield await hits(subjects, 1, (measured) => [timeBeside(measured, 'bare ioredis', 1.15)]);
  } finally {
    await closeAll(subjects);
  }
}

export async function* getMany(): AsyncGenerator<Table> {
  const subjects = await open('bench-many');
  try {
    const contenders = subjects.map((subject) => ({
      name: subject.name,
      run: (operations: number) => runInFlight(operations, 1, (index) => readBatch(subject, index)),
    }));
    const measured = await compare(contenders, schedule);
    yield {
      title: `getMany of ${batch} in Redis, one call after the other`,
      measured,
      goals: [timeBeside(measured, 'bare ioredis', 1.2)],
      notes: ['What has no getMany does its get 100 times at once.'],
    };
  } finally {
    await closeAll(subjects);
  }
}

function readBatch(subject: Subject, index: number): Promise<unknown> {
  const begin = (index * batch) % keys.length;
  const wanted = keys.slice(begin, begin + batch);
  return subject.getMany ? subject.getMany(wanted) : Promise.all(wanted.map((key) => subject.get(key)));
}

async function open(namespace: string): Promise<Subject[]> {
  const redis = redisUrl();
  const tiers = (peer: string) => ({ local: false, redis, namespace: `${namespace}-${peer}` });
  const subjects = [
    await openRednest(tiers('rednest')),
    openBare(redis, `${namespace}-bare`),
    openBare(redis, `${namespace}-plain`, 'plain'),
    await openBentocache(tiers('bentocache')),
    await openCacheable(tiers('cacheable')),
    await openCacheManager(tiers('cache-manager')),
    await openAsyncCacheDedupe(tiers('dedupe'), () => Promise.resolve(cityOf(1))),
  ];
  for (const subject of subjects) await store(subject, keys, cityOf(1));
  return subjects;
}

async function hits(
  subjects: readonly Subject[],
  inFlight: number,
  goals: (measured: readonly Measured[]) => Goal[],
): Promise<Table> {
  const contenders: Contender[] = subjects.map((subject) => ({
    name: subject.name,
    run: (operations) =>
      runInFlight(operations, inFlight, (index) => subject.get(keys[index % keys.length] as string)),
  }));
  const measured = await compare(contenders, schedule);
  return { title: `Redis hit, ${inFlight} in flight`, measured, goals: goals(measured) };
}
