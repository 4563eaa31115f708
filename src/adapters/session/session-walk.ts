import { KeyWalk, type Page } from '../../keyspace/key-walk.js';
import { Patience } from '../../keyspace/patience.js';
import { Sweep } from '../../keyspace/sweep.js';
import type { RedisConnection } from '../../redis/index.js';
import type { SessionKeys } from './session-keys.js';

/** Sessions that are worked on together. */
const BATCH = 100;

/** Milliseconds in which a step is repeated while Redis is away: a request may wait for the end. */
const PATIENCE = 10_000;

/** How often all masters are walked through, at most, while slots of a Cluster go from one to another. */
const ROUNDS = 3;

/**
 * Tells of each session once, some at a time. Those that are made or destroyed meanwhile may be told of or not.
 *
 * @param work is called again with the same ones where Redis was away meanwhile
 * @throws RedisError, also where one may have been missed; what the work throws
 */
export async function eachSession(
  connection: RedisConnection,
  keys: SessionKeys,
  work: (ids: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const patience = new Patience(connection, undefined, PATIENCE);
  // SCAN may tell of a key several times.
  const seen = new Set<string>();
  const workOn = async (page: Page): Promise<'done'> => {
    const ids = page.keys.map((key) => keys.idOf(key)).filter((id) => id !== undefined && !seen.has(id));
    for (let from = 0; from < ids.length; from += BATCH) {
      const batch = (ids as string[]).slice(from, from + BATCH);
      await patience.ask(() => work(batch));
      for (const id of batch) seen.add(id);
    }
    return 'done';
  };
  const walk = new KeyWalk(connection, keys.pattern);
  const { doubt } = await new Sweep({ connection, patience, walk, work: workOn }).run(ROUNDS);
  if (doubt) throw doubt;
}
