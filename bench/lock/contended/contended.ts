import { Redis } from 'ioredis';
import { setTimeout as wait } from 'node:timers/promises';
import { redisUrl } from '../../support/redis-url.js';
import type { Table } from '../../support/report.js';
import { serverUsage } from '../../support/server-usage.js';
import { subjects, type SubjectName } from '../subjects/index.js';
import { figuresOf, rowOf, type Entrant, type Turn } from './figures.js';
import { goalsOf } from './goals.js';
import { Processes } from './processes.js';
import { now } from './protocol.js';
import { countCommands } from './sent-commands.js';
import { timelineOf } from './timeline.js';

const rounds = 3;
const milliseconds = 4_000;
/** Until all processes contend. */
const warmUp = 500;
const sizes = [2, 3, 50];

/** The peers at their defaults, and at what makes them fastest. */
const names = Object.keys(subjects).filter((name) => name !== 'bare') as SubjectName[];

/** Processes that want one resource: each contender holds it for 2 ms, and asks again after 20 ms. */
export async function* contended(): AsyncGenerator<Table> {
  const redis = new Redis(redisUrl());
  try {
    for (const size of sizes) {
      const entrants = names.map((name): Entrant => ({ name, turns: [], commands: 0 }));
      for (let round = 0; round <= rounds; round++) {
        for (let index = 0; index < entrants.length; index++) {
          const entrant = entrants[(round + index) % entrants.length]!;
          // The first round is not timed, so it is the one to be watched.
          if (round > 0) entrant.turns.push(await turn(redis, entrant.name, size));
          else entrant.commands = await commandsEach(redis, entrant.name, size);
        }
      }
      yield tableOf(entrants, size);
    }
  } finally {
    redis.disconnect();
  }
}

async function commandsEach(redis: Redis, name: SubjectName, size: number): Promise<number> {
  let commands = 0;
  const { grants } = await turn(redis, name, size, async (during) => {
    commands = await countCommands(redisUrl(), during);
  });
  return commands / grants;
}

async function turn(
  redis: Redis,
  name: SubjectName,
  size: number,
  watch = (during: () => Promise<void>) => during(),
): Promise<Turn> {
  const place = { url: redisUrl(), namespace: `bench-contended-${name}` };
  const processes = await Processes.open(name, place, size);
  processes.start();
  await wait(warmUp);
  const before = await serverUsage(redis);
  const begin = now();
  await watch(() => wait(milliseconds));
  const end = now();
  const after = await serverUsage(redis);
  const timeline = timelineOf(await processes.stop(), { begin, end });
  return {
    ...timeline,
    rate: (timeline.grants * 1_000) / (end - begin),
    processor: after.processor - before.processor,
  };
}

function tableOf(entrants: readonly Entrant[], size: number): Table {
  const figures = entrants.map(figuresOf);
  return {
    title: `${size} contenders in ${Math.min(size, 4)} processes, 2 ms held, 20 ms between`,
    figures: new Map(figures.map((each) => [each.title, rowOf(each)])),
    goals: goalsOf(figures, entrants, size),
    notes: [
      'Times are milliseconds; a hand-over is from the call of a release to the next grant, where the next one waited by then.',
      'What Redis takes is the processor time of its main thread.',
    ],
  };
}
