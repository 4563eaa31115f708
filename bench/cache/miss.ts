import { runInFlight } from '../support/in-flight.js';
import { redisUrl } from '../support/redis-url.js';
import { compare, type Contender, type Schedule } from '../support/rounds.js';
import { openBare } from './bare.js';
import { openBentocache } from './bentocache.js';
import { openCacheable, openCacheManager } from './keyv-caches.js';
import { openRednest } from './rednest.js';
import type { Table } from '../support/report.js';
import { closeAll, type Subject } from './subject.js';
import { cityOf } from './values.js';

const schedule: Schedule = { rounds: 11, milliseconds: 100 };
const value = cityOf(1);
const factory = () => Promise.resolve(value);

/** Every key is a new one: asked for, made, stored in both tiers. */
export async function* missAndStore(): AsyncGenerator<Table> {
  const redis = redisUrl();
  const tiers = (peer: string) => ({ local: true, redis, namespace: `bench-miss-${peer}` });
  const subjects = [
    await openRednest(tiers('rednest')),
    openBare(redis, 'bench-miss-bare'),
    await openBentocache(tiers('bentocache')),
    await openCacheable(tiers('cacheable')),
    await openCacheManager(tiers('cache-manager')),
  ];
  try {
    for (const inFlight of [1, 100]) {
      const measured = await compare(
        subjects.map((subject) => contender(subject, inFlight)),
        schedule,
      );
      yield { title: `Miss and store, ${inFlight} in flight`, measured, goals: [] };
    }
  } finally {
    await closeAll(subjects);
  }
}

function contender(subject: Subject, inFlight: number): Contender {
  let made = 0;
  return {
    name: subject.name,
    run: (operations) =>
      runInFlight(operations, inFlight, () => subject.getOrSet(`${inFlight}:${made++}`, factory)),
  };
}
