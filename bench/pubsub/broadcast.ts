import { Redis } from 'ioredis';
import { redisUrl } from '../support/redis-url.js';
import { timesAsFast, type Table } from '../support/report.js';
import { compete, sizeOf, withEntrants, type Entrant } from './entrants.js';
import { processorNote, ratesOf } from './figures.js';
import { broadcasting, subjects } from './subjects/index.js';
import { turnOf, type Turn } from './turn.js';

const rounds = 9;
const inFlight = 500;
/** Of a turn. */
const milliseconds = 400;
const settings = [
  { handlers: 1, goal: 0.9 },
  { handlers: 100, goal: 1 },
];

/** To all handlers of one process, until the last one has the last message. */
export async function* broadcast(): AsyncGenerator<Table> {
  const redis = new Redis(redisUrl());
  try {
    for (const setting of settings) yield await measure(redis, setting);
  } finally {
    redis.disconnect();
  }
}

async function measure(redis: Redis, { handlers, goal }: (typeof settings)[number]): Promise<Table> {
  return withEntrants(broadcasting, handlers, async (entrants) => {
    const sizes = new Map<Entrant, number>();
    for (const entrant of entrants) {
      await entrant.pair.subscribe();
      sizes.set(entrant, await sizeOf(milliseconds, (messages) => turn(redis, entrant, messages)));
    }
    const measured = await compete(entrants, rounds, (entrant) => turn(redis, entrant, sizes.get(entrant)!));
    return {
      title: `Broadcast to ${handlers === 1 ? 'one handler' : `${handlers} handlers`}, ${inFlight} in flight`,
      figures: ratesOf(entrants),
      goals: [
        timesAsFast(measured, subjects.bare.title, goal),
        timesAsFast(measured, subjects['bare-pipelined'].title, goal),
      ],
      notes: [processorNote],
    };
  });
}

function turn(redis: Redis, { pair }: Entrant, messages: number): Promise<Turn> {
  const course = async () => {
    const { received } = await pair.expect(messages, 'now');
    const published = await pair.publish(messages, inFlight);
    return { published, received: await received };
  };
  return turnOf(redis, messages, course, ({ published }) => published.beganAt);
}
