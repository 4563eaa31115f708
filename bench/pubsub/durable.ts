import { Redis } from 'ioredis';
import { redisUrl } from '../support/redis-url.js';
import { timesAsFast, type Table } from '../support/report.js';
import { emptyStreams } from './empty-streams.js';
import { compete, withEntrants, type Entrant } from './entrants.js';
import { processorNote, ratesOf } from './figures.js';
import { lasting, subjects } from './subjects/index.js';
import { turnOf, type Turn } from './turn.js';

const rounds = 9;
const messages = 20_000;
const inFlight = 500;
/** Of the rate of bare commands. */
const goal = 0.8;

/** To one handler of a group. */
export async function* durable(): AsyncGenerator<Table> {
  const redis = new Redis(redisUrl());
  try {
    yield await measure(
      redis,
      `Durable, published and handled at the same time, ${inFlight} in flight`,
      together,
    );
    yield await measure(redis, `Durable, ${messages} published before they are handled`, backlog);
  } finally {
    redis.disconnect();
  }
}

async function measure(
  redis: Redis,
  title: string,
  turn: (redis: Redis, entrant: Entrant) => Promise<Turn>,
): Promise<Table> {
  return withEntrants(lasting, 1, async (entrants) => {
    const measured = await compete(entrants, rounds, async (entrant) => {
      const seen = await turn(redis, entrant);
      await emptyStreams(redis, entrant.namespace);
      return seen;
    });
    return {
      title,
      figures: ratesOf(entrants),
      goals: [timesAsFast(measured, subjects['bare-durable'].title, goal)],
      notes: [processorNote],
    };
  });
}

async function together(redis: Redis, { pair }: Entrant): Promise<Turn> {
  await pair.subscribe();
  const course = async () => {
    const { received } = await pair.expect(messages, 'now');
    const published = await pair.publish(messages, inFlight);
    return { published, received: await received };
  };
  const seen = await turnOf(redis, messages, course, ({ published }) => published.beganAt);
  await pair.end();
  return seen;
}

/** From the first one handled on: connecting is not what is measured. */
function backlog(redis: Redis, { pair }: Entrant): Promise<Turn> {
  const course = async () => {
    const published = await pair.publish(messages, inFlight);
    const { received } = await pair.expect(messages, 'first call');
    await pair.subscribe();
    const done = { published, received: await received };
    await pair.end();
    return done;
  };
  return turnOf(redis, messages, course, ({ received }) => received.firstAt);
}
