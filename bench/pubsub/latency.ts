import { Redis } from 'ioredis';
import { redisUrl } from '../support/redis-url.js';
import type { Table } from '../support/report.js';
import { emptyStreams } from './empty-streams.js';
import { compete, withEntrants, type Entrant } from './entrants.js';
import { delaysOf, processorNote } from './figures.js';
import { broadcasting, lasting, type SubjectName } from './subjects/index.js';
import { turnOf, type Turn } from './turn.js';

const rounds = 5;
const messages = 400;
/** Milliseconds between two messages. */
const pause = 2;

/** One message at a time, to one handler. */
export async function* latency(): AsyncGenerator<Table> {
  const redis = new Redis(redisUrl());
  try {
    yield await measure(redis, 'Broadcast', broadcasting);
    yield await measure(redis, 'Durable', lasting);
  } finally {
    redis.disconnect();
  }
}

async function measure(redis: Redis, delivery: string, names: readonly SubjectName[]): Promise<Table> {
  return withEntrants(names, 1, async (entrants) => {
    for (const { pair } of entrants) await pair.subscribe();
    await compete(entrants, rounds, (entrant) => turn(redis, entrant));
    for (const { namespace } of entrants) await emptyStreams(redis, namespace);
    return {
      title: `${delivery}, from publishing to the handler, a message each ${pause} ms`,
      figures: delaysOf(entrants),
      goals: [],
      notes: [processorNote],
    };
  });
}

function turn(redis: Redis, { pair }: Entrant): Promise<Turn> {
  const course = async () => {
    const { received } = await pair.expect(messages, 'now');
    const published = await pair.drip(messages, pause);
    return { published, received: await received };
  };
  return turnOf(redis, messages, course, ({ published }) => published.beganAt);
}
