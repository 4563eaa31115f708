import { runInFlight } from '../support/in-flight.js';
import { redisUrl } from '../support/redis-url.js';
import { timesAsFast, type Table } from '../support/report.js';
import { compare, type Contender, type Schedule } from '../support/rounds.js';
import { subjects as openers, type SubjectName } from './subjects/index.js';
import { closeAll, type Subject } from './subjects/subject.js';

const schedule: Schedule = { rounds: 21, milliseconds: 150 };
const names: readonly SubjectName[] = [
  'rednest',
  'bare',
  'redlock',
  'sesamecare',
  'redis-semaphore',
  'redlock-universal',
];
/** Far more than are in flight, so that nobody ever waits. */
const resources = Array.from({ length: 1_000 }, (_, index) => `tour:${index}`);

/** A lock that is free is acquired, and released at once. */
export async function* pairs(): AsyncGenerator<Table> {
  const subjects: Subject[] = [];
  try {
    for (const name of names)
      subjects.push(await openers[name]({ url: redisUrl(), namespace: `bench-pairs-${name}` }));
    yield await measure(subjects, 1, 'one pair after the other');
    yield await measure(subjects, 64, '64 pairs in flight over different resources');
  } finally {
    await closeAll(subjects);
  }
}

async function measure(subjects: readonly Subject[], inFlight: number, title: string): Promise<Table> {
  const contenders: Contender[] = subjects.map((subject) => ({
    name: subject.name,
    run: (operations) =>
      runInFlight(operations, inFlight, (index) => pair(subject, resources[index % resources.length]!)),
  }));
  const measured = await compare(contenders, schedule);
  const [, bare, ...peers] = subjects;
  return {
    title: `Acquire and release, uncontended: ${title}`,
    measured,
    goals: [
      timesAsFast(measured, bare!.name, 0.9),
      ...peers.map(({ name }) => timesAsFast(measured, name, 1)),
    ],
  };
}

async function pair(subject: Subject, resource: string): Promise<void> {
  const held = await subject.acquire(resource);
  await held.release();
}
