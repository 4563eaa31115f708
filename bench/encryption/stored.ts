import { keyNamed, openApplication, plaintextOf, type EncryptedApplication } from './application.js';
import { BareReader } from './bare/reader.js';

const COUNT = 1_000;

/** Values that rednest has stored, and two that read them: rednest, and what one writes by hand. */
export interface Stored {
  readonly keys: readonly string[];
  readonly application: EncryptedApplication;
  readonly bare: BareReader;
}

/** Does the work with stored values of each size. */
export async function* withStored<T>(
  namespace: string,
  sizes: readonly number[],
  work: (stored: Stored, size: number) => Promise<T>,
): AsyncGenerator<T> {
  const application = await openApplication({ key: keyNamed(namespace), namespace });
  try {
    for (const size of sizes) {
      const stored = await storeValues(application, namespace, size);
      yield await work(stored, size);
      await application.store.delete(...stored.keys);
    }
  } finally {
    await application.close();
  }
}

async function storeValues(
  application: EncryptedApplication,
  namespace: string,
  size: number,
): Promise<Stored> {
  const { store, client } = application;
  const keys = Array.from({ length: COUNT }, (_, index) => `card:${size}:${index}`);
  await store.setMany(keys.map((key, index) => [key, plaintextOf(size, index)] as const));
  const sample = await client.getBuffer(`${namespace}:${keys[0]}`);
  const bare = new BareReader({ client, namespace, key: keyNamed(namespace), sample: sample! });
  await check({ keys, application, bare }, size);
  return { keys, application, bare };
}

async function check({ keys, application, bare }: Stored, size: number): Promise<void> {
  const read = await application.store.getMany<Buffer>(keys);
  const byHand = await bare.getMany(keys);
  for (const index of keys.keys()) {
    const wanted = plaintextOf(size, index);
    if (!read[index]?.equals(wanted) || !byHand[index]?.equals(wanted))
      throw new Error(`${keys[index]} does not come back as it was stored`);
  }
}
