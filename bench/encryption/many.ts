import { runInFlight } from '../support/in-flight.js';
import type { Table } from '../support/report.js';
import { compare, type Schedule } from '../support/rounds.js';
import { figuresOf, TimedContender } from './processor-time.js';
import { withStored, type Stored } from './stored.js';

const schedule: Schedule = { rounds: 21, milliseconds: 100 };
const sizes = [64, 1_024, 16_384];
const BATCH = 100;

/** Many values with one call. */
export async function* many(): AsyncGenerator<Table> {
  yield* withStored('bench-many', sizes, measure);
}

async function measure({ keys, application, bare }: Stored, size: number): Promise<Table> {
  const reader = (name: string, getMany: (keys: readonly string[]) => Promise<unknown>) =>
    new TimedContender({
      name,
      run: (operations) =>
        runInFlight(operations, 1, (index) => {
          const begin = (index * BATCH) % keys.length;
          return getMany(keys.slice(begin, begin + BATCH));
        }),
    });
  const contenders = [
    reader('rednest', (wanted) => application.store.getMany(wanted)),
    reader('bare MGET and decrypt', (wanted) => bare.getMany(wanted)),
    reader(`${BATCH} times bare GET and decrypt`, (wanted) =>
      Promise.all(wanted.map((key) => bare.get(key))),
    ),
  ];
  const measured = await compare(contenders, schedule);
  return {
    title: `EncryptedStore.getMany of ${BATCH} times ${size} bytes, one call after the other`,
    figures: figuresOf(contenders, measured),
    goals: [],
    notes: ['rednest asks with GET, so that it is the same in a cluster.'],
  };
}
