import { retry, type RedisClient } from 'rednest';
import { cityKeys, type Scope } from '../cities.keys.js';
import type { City } from '../city.dto.js';
import { nameMember, nameTier } from '../name-index.js';

export interface ImportOptions {
  /** Cities that are written together. @default 1000 */
  batchSize?: number;
  /** Told of the number of cities that are written, after each batch, and waited for. */
  onProgress?: (done: number) => void | Promise<void> | undefined;
}

/** Batches under way: while Redis works on one, the next is made ready. */
const BATCHES_IN_FLIGHT = 2;

/**
 * Writes cities and their indexes, in few and large commands: a batch of 1,000 is one MSET, one GEOADD and a ZADD for each sorted set
 * that it touches, all sent together. All of it may be written twice: an import that was
 * interrupted is simply repeated, and two replicas that import at once do each other no harm.
 *
 * @throws RedisError
 */
export async function importCities(
  client: RedisClient,
  cities: readonly City[],
  options: ImportOptions = {},
): Promise<void> {
  const { batchSize = 1_000, onProgress } = options;
  const batches = inBatches(cities, batchSize);
  let done = 0;
  const writeBatches = async () => {
    for (const batch of batches) {
      await retry(() => writeBatch(client, batch));
      await onProgress?.((done += batch.length));
    }
  };
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, writeBatches));
}

/** All index keys that an import of these cities writes. */
export function indexKeys(cities: readonly City[]): string[] {
  return [cityKeys.positions, ...sortedSets(cities).keys()];
}

function* inBatches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

async function writeBatch(client: RedisClient, cities: readonly City[]): Promise<void> {
  const positions = cities.flatMap(({ longitude, latitude, id }) => [longitude, latitude, id]);
  await Promise.all([
    writeDocuments(client, cities),
    client.geoadd(cityKeys.positions, ...positions),
    ...Array.from(sortedSets(cities), ([key, members]) => client.zadd(key, ...members)),
  ]);
}

function writeDocuments(client: RedisClient, cities: readonly City[]): Promise<unknown> {
  const documents = cities.map((city) => [cityKeys.city(city.id), JSON.stringify(city)] as const);
  // On a Cluster the keys of one command have to lie in one slot, and these lie in thousands.
  if (client.isCluster) return Promise.all(documents.map(([key, value]) => client.set(key, value)));
  return client.mset(documents.flat());
}

/** Scores and members for the sorted sets that the cities belong to, by key. */
function sortedSets(cities: readonly City[]): Map<string, (string | number)[]> {
  const sets = new Map<string, (string | number)[]>();
  const add = (key: string, score: number, member: string | number) => {
    const members = sets.get(key);
    if (members) members.push(score, member);
    else sets.set(key, [score, member]);
  };
  for (const city of cities) {
    const name = nameMember(city.name, city);
    const tier = nameTier(city.population);
    for (const scope of ['world', city.country] satisfies Scope[]) {
      add(cityKeys.population(scope), city.population, city.id);
      add(cityKeys.names(scope, tier), 0, name);
    }
  }
  return sets;
}
