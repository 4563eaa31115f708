import { runInFlight } from '../support/in-flight.js';
import { redisUrl } from '../support/redis-url.js';
import { timesAsFast, type Table } from '../support/report.js';
import { compare, type Contender, type Schedule } from '../support/rounds.js';
import { openBare } from './storages/bare.js';
import { openMemory } from './storages/memory.js';
import { openRednest } from './storages/rednest.js';
import { closeAll, type Storage } from './storages/storage.js';

const schedule: Schedule = { rounds: 31, milliseconds: 150 };
const clients = Array.from({ length: 1_000 }, (_, index) => `client-${index}`);

/** Hits of many clients, all below the limit: what is refused is read only. */
export async function* throttler(): AsyncGenerator<Table> {
  const url = redisUrl();
  const storages: Storage[] = [];
  try {
    storages.push(
      await openRednest(url),
      await openBare(url, 'plain'),
      await openBare(url, 'auto-pipelined'),
      await openMemory(),
    );
    for (const inFlight of [1, 100, 1_000]) yield await measure(storages, inFlight);
  } finally {
    await closeAll(storages);
  }
}

async function measure(storages: readonly Storage[], inFlight: number): Promise<Table> {
  const contenders: Contender[] = storages.map((storage) => ({
    name: storage.name,
    run: (operations) =>
      runInFlight(operations, inFlight, (index) => storage.hit(clients[index % clients.length]!)),
  }));
  const measured = await compare(contenders, schedule);
  const [, ...bare] = storages.filter(({ name }) => name !== '@nestjs/throttler, in memory');
  return {
    title: `Throttler, hits, ${inFlight} in flight`,
    measured,
    goals: bare.map(({ name }) => timesAsFast(measured, name, 0.9)),
  };
}
