import { runInFlight } from '../support/in-flight.js';
import { timeBeside, type Table } from '../support/report.js';
import { compare, type Schedule } from '../support/rounds.js';
import { figuresOf, TimedContender } from './processor-time.js';
import { withStored, type Stored } from './stored.js';

const schedule: Schedule = { rounds: 31, milliseconds: 100 };
const sizes = [64, 1_024, 16_384];
const BARE = 'bare GET and decrypt';
/** Of what one writes by hand. */
const MOST = 1.2;

/** One value after the other, and many in flight, on one client. */
export async function* store(): AsyncGenerator<Table> {
  for (const inFlight of [1, 100])
    yield* withStored(`bench-store-${inFlight}`, sizes, (stored, size) => measure(stored, size, inFlight));
}

async function measure({ keys, application, bare }: Stored, size: number, inFlight: number): Promise<Table> {
  const reader = (name: string, get: (key: string) => Promise<unknown>) =>
    new TimedContender({
      name,
      run: (operations) => runInFlight(operations, inFlight, (index) => get(keys[index % keys.length]!)),
    });
  const contenders = [
    reader('rednest', (key) => application.store.get(key)),
    reader(BARE, (key) => bare.get(key)),
    reader('bare GET alone', (key) => application.client.getBuffer(`${application.store.name}:${key}`)),
  ];
  const measured = await compare(contenders, schedule);
  return {
    title: `EncryptedStore.get of ${size} bytes, ${inFlight === 1 ? 'one after the other' : `${inFlight} in flight`}`,
    figures: figuresOf(contenders, measured),
    goals: [timeBeside(measured, BARE, MOST)],
  };
}
