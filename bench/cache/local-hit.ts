import { LRUCache } from 'lru-cache';
import { redisUrl } from '../support/redis-url.js';
import { compare, type Contender, type Schedule } from '../support/rounds.js';
import { openAsyncCacheDedupe } from './async-cache-dedupe.js';
import { openBentocache } from './bentocache.js';
import { openCacheable, openCacheManager } from './keyv-caches.js';
import { freshLoop } from './loop.js';
import { openRednest } from './rednest.js';
import { microsecondsEach, timesAsFast, type Table } from '../support/report.js';
import { closeAll, type Subject } from './subject.js';
import { cityOf, keysOf } from './values.js';
import { warmLocalTier } from './warm.js';

const schedule: Schedule = { rounds: 15, milliseconds: 50 };
const keys = keysOf(1_024);
const tags = ['cities', 'country:PT', 'region:Lisboa'];
const value = cityOf(1);
const factory = () => Promise.resolve(value);

type Operation = (subject: Subject) => (key: string) => Promise<unknown>;

/** Peers have their local tier only, which is the fastest they can be; rednest has Redis and tracking behind it. */
export async function* localHit(): AsyncGenerator<Table> {
  const rednest = await openRednest({ local: true, redis: redisUrl(), namespace: 'bench-local' });
  const alone = { local: true, namespace: 'bench' };
  const peers = [
    await openBentocache(alone),
    await openBentocache(alone, 'shared'),
    await openCacheable(alone),
    await openCacheManager(alone),
  ];
  const dedupe = await openAsyncCacheDedupe(alone, factory);
  const tagged = [
    rednest,
    await openBentocache(alone),
    await openBentocache(alone, 'shared'),
    await openCacheable(alone, 'tags'),
  ];
  const untagged = [rednest, ...peers, dedupe];
  try {
    for (const subject of untagged) await warmLocalTier(subject, keys, value);
    yield await measure(
      'Local hit, getOrSet',
      untagged,
      (subject) => (key) => subject.getOrSet(key, factory),
    );
    yield await measure('Local hit, get', untagged, (subject) => (key) => subject.get(key));
    for (const subject of tagged) await warmLocalTier(subject, keys, value, tags);
    yield await measure(
      'Local hit, getOrSet with 3 tags',
      tagged,
      (subject) => (key) => subject.getOrSet(key, factory, tags),
    );
  } finally {
    await closeAll([...untagged, ...tagged.slice(1)]);
  }
}

async function measure(title: string, subjects: readonly Subject[], operation: Operation): Promise<Table> {
  const contenders: Contender[] = [];
  for (const subject of subjects) contenders.push(await contender(subject.name, operation(subject)));
  contenders.push(await contender('lru-cache, awaited', memoryAlone()));
  const measured = await compare(contenders, schedule);
  const goals = ['bentocache', 'bentocache, serialize: false', 'cacheable'].map((peer) =>
    timesAsFast(measured, peer, 10),
  );
  return { title, measured, goals: [...goals, microsecondsEach(measured, 0.3)] };
}

async function contender(name: string, operation: (key: string) => Promise<unknown>): Promise<Contender> {
  const loop = await freshLoop();
  return { name, run: (operations) => loop(operation, keys, operations) };
}

/** What cannot be gone below: a map with an order, and a promise. */
function memoryAlone(): (key: string) => Promise<unknown> {
  const cache = new LRUCache<string, object>({ max: 100_000 });
  for (const key of keys) cache.set(key, value as object);
  return async (key) => cache.get(key);
}
