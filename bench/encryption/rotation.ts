import { takeTurns } from '../support/rounds.js';
import type { Table } from '../support/report.js';
import { keyNamed, openApplication, plaintextOf, type EncryptedApplication } from './application.js';
import { BareRotation } from './bare/rotation.js';

const ROUNDS = 5;
const COUNT = 4_000;
const SIZE = 1_024;
const TTL = 3_600_000;
const NAMESPACE = 'bench-rotation';

type Two<T> = [T, T];

/** Every value under another key, and back again in the next turn. */
export async function* rotation(): AsyncGenerator<Table> {
  const keys: Two<Buffer> = [keyNamed('rotation, one'), keyNamed('rotation, other')];
  const applications: Two<EncryptedApplication> = [
    await openApplication({ key: keys[0], decryptKeys: [keys[1]], namespace: NAMESPACE }),
    await openApplication({ key: keys[1], decryptKeys: [keys[0]], namespace: NAMESPACE }),
  ];
  const names = Array.from({ length: COUNT }, (_, index) => `card:${index}`);
  try {
    yield await measure(applications, keys, names);
  } finally {
    await applications[0].store.delete(...names);
    await Promise.all(applications.map((application) => application.close()));
  }
}

async function measure(
  applications: Two<EncryptedApplication>,
  keys: Two<Buffer>,
  names: readonly string[],
): Promise<Table> {
  const values = names.map((name, index) => [name, plaintextOf(SIZE, index)] as const);
  await applications[0].store.setMany(values, { ttl: TTL });
  let primary: 0 | 1 = 0;
  const turn = (rotate: (to: 0 | 1) => Promise<number>) => async () => {
    primary = primary === 0 ? 1 : 0;
    const begin = performance.now();
    const reencrypted = await rotate(primary);
    const seconds = (performance.now() - begin) / 1_000;
    if (reencrypted !== COUNT) throw new Error(`${reencrypted} of ${COUNT} values were encrypted anew`);
    return COUNT / seconds;
  };
  const bare = await BareRotation.open(applications, keys, NAMESPACE, names[0]!);
  const measured = await takeTurns(
    [
      { name: 'rednest', measure: turn(async (to) => rotateWith(applications[to])) },
      { name: 'bare, 100 at a time', measure: turn((to) => bare.rotate(to, 100)) },
      { name: 'bare, one after the other', measure: turn((to) => bare.rotate(to, 1)) },
    ],
    ROUNDS,
  );
  await check(applications[primary], values);
  return {
    title: `Rotation of ${COUNT} values of ${SIZE} bytes`,
    measured,
    goals: [],
    notes: [
      'rednest compares before it writes, and counts what is under which key when it is through; the loop of bare SCAN, GET and SET does neither.',
    ],
  };
}

async function rotateWith({ store }: EncryptedApplication): Promise<number> {
  const { reencrypted, refused, completed } = await store.rotate();
  if (!completed || refused > 0) throw new Error(`A rotation was not completed, or refused ${refused}`);
  return reencrypted;
}

async function check(
  { store, client }: EncryptedApplication,
  values: readonly (readonly [string, Buffer])[],
): Promise<void> {
  const read = await store.getMany<Buffer>(values.map(([name]) => name));
  if (!values.every(([, value], index) => read[index]?.equals(value)))
    throw new Error('A rotation has lost a value');
  const left = await Promise.all(values.map(([name]) => client.pttl(`${NAMESPACE}:${name}`)));
  if (left.some((milliseconds) => milliseconds <= 0)) throw new Error('A rotation has lost a time to live');
}
