import { Redis } from 'ioredis';
import { runInFlight } from '../support/in-flight.js';
import { redisUrl } from '../support/redis-url.js';
import { takeTurns } from '../support/rounds.js';
import { openBentocache } from './bentocache.js';
import { openCacheable } from './keyv-caches.js';
import { openRednest } from './rednest.js';
import { timesAsFast, type Goal, type Table } from '../support/report.js';
import { closeAll, type Subject } from './subject.js';
import { cityOf, keysOf } from './values.js';
import { warmLocalTier } from './warm.js';

const rounds = 3;
const keys = keysOf(10_000);
/** Enough for what is slow, and to count what is sent for each: watching slows the server down, so that is apart from the clock. */
const few = keys.slice(0, 2_000);
const batch = 100;
/** What is watched up to. */
const endMark = 'bench:end';
const tag = 'cities';
const value = cityOf(1);
const factory = () => Promise.resolve(value);

const batched = 'rednest, getOrSetMany';

interface Entrant {
  readonly name: string;
  readonly subject: Subject;
  readonly readBack: ReadBack;
}

type ReadBack = (subject: Subject, wanted: readonly string[]) => Promise<unknown>;

const readBackBy =
  (inFlight: number): ReadBack =>
  (subject, wanted) =>
    runInFlight(wanted.length, inFlight, (index) =>
      subject.getOrSet(wanted[index] as string, factory, [tag]),
    );

const oneByOne = readBackBy(100);
const oneAfterTheOther = readBackBy(1);

const inHundreds: ReadBack = async (subject, wanted) => {
  for (let begin = 0; begin < wanted.length; begin += batch)
    await subject.getOrSetMany?.(wanted.slice(begin, begin + batch), value, [tag]);
};

/** 10,000 entries of one tag in both tiers; the tag is invalidated; all are read back, and so made again. */
export async function* tagInvalidation(): AsyncGenerator<Table> {
  const redis = redisUrl();
  const tiers = (peer: string) => ({ local: true, redis, namespace: `bench-tags-${peer}` });
  const rednest = await openRednest(tiers('rednest'));
  const subjects = [
    rednest,
    await openBentocache(tiers('bentocache')),
    await openCacheable(tiers('cacheable'), 'tags'),
  ];
  const entrants: Entrant[] = [
    ...subjects.map((subject) => ({ name: subject.name, subject, readBack: oneByOne })),
    { name: batched, subject: rednest, readBack: inHundreds },
  ];
  try {
    const notes: string[] = [];
    const goals: Goal[] = [];
    for (const { name, subject, readBack } of entrants) {
      const commands = await commandsOf(subject, readBack);
      notes.push(`${name} sends ${describe(commands)}`);
      if (subject === rednest) goals.push(commandsEach(name, commands));
    }
    const measured = await takeTurns(
      entrants.map(({ name, subject, readBack }) => ({
        name,
        measure: () => rateOf(subject, keys, readBack),
      })),
      rounds,
    );
    goals.push(timesAsFast(measured, 'bentocache', 10), timesAsFast(measured, 'bentocache', 10, batched));
    yield {
      title: `${keys.length} keys read back after their tag was invalidated, one by one with 100 in flight`,
      measured,
      goals,
      notes,
    };
    yield await inSequence(entrants);
  } finally {
    await closeAll(subjects);
  }
}

/** As a loop does it that awaits; only what has a batch does not wait for each. */
async function inSequence(entrants: readonly Entrant[]): Promise<Table> {
  const measured = await takeTurns(
    entrants.map(({ name, subject, readBack }) => ({
      name,
      measure: () => rateOf(subject, few, readBack === oneByOne ? oneAfterTheOther : readBack),
    })),
    rounds,
  );
  return {
    title: `${few.length} keys read back after their tag was invalidated, one after the other`,
    measured,
    goals: [timesAsFast(measured, 'bentocache', 10, batched)],
  };
}

async function rateOf(subject: Subject, wanted: readonly string[], readBack: ReadBack): Promise<number> {
  await warmLocalTier(subject, wanted, value, [tag]);
  const begin = performance.now();
  await subject.invalidateTag?.(tag);
  await readBack(subject, wanted);
  return (wanted.length * 1_000) / (performance.now() - begin);
}

/** What clients send by itself, so without what scripts call: how often each command. */
async function commandsOf(subject: Subject, readBack: ReadBack): Promise<Map<string, number>> {
  await warmLocalTier(subject, few, value, [tag]);
  const redis = new Redis(redisUrl(), { protocol: 2 });
  const monitor = await redis.monitor();
  const commands = new Map<string, number>();
  const watched = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, [name = '', argument]: string[], source: string) => {
      if (argument === endMark) return resolve();
      if (source === 'lua') return;
      commands.set(name.toLowerCase(), (commands.get(name.toLowerCase()) ?? 0) + 1);
    });
  });
  try {
    await subject.invalidateTag?.(tag);
    await readBack(subject, few);
    await redis.echo(endMark);
    await watched;
  } finally {
    monitor.disconnect();
    await redis.quit();
  }
  return commands;
}

function commandsEach(name: string, commands: ReadonlyMap<string, number>): Goal {
  const each = total(commands) / few.length;
  return { text: `${name}: at most 2 commands a key`, value: each, met: each <= 2 };
}

function describe(commands: ReadonlyMap<string, number>): string {
  const parts = [...commands]
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, count]) => `${name} ${count}`);
  return `${(total(commands) / few.length).toFixed(2)} commands a key, of ${few.length}: ${parts.join(', ')}`;
}

function total(commands: ReadonlyMap<string, number>): number {
  return [...commands.values()].reduce((sum, count) => sum + count, 0);
}
