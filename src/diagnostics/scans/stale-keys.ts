import { RedisError, type RedisConnection } from '../../redis/index.js';
import { idleTimeDoubts } from './idle-time-doubts.js';
import { idleTimes, SHARED } from './idle-time.js';
import { KeyScan } from './key-scan.js';
import { reportedKey } from './key-text.js';
import type { ResolvedStaleKeysOptions } from './resolve-scan-options.js';
import type { StaleKeysReport } from './scan-reports.js';
import { TopKeys, type Measured } from './top-keys.js';

interface Stale {
  readonly top: TopKeys<Measured>;
  stale: number;
  unknown: number;
}

/** Finds the keys that were not used for long. @throws IdleTimeUnavailableError, and as {@link KeyScan.run} */
export async function staleKeys(
  connection: RedisConnection,
  options: ResolvedStaleKeysOptions,
): Promise<StaleKeysReport> {
  const scan = new KeyScan<Stale>(connection, options);
  const warningsNow = async (): Promise<readonly string[]> =>
    (await idleTimeDoubts(connection, options.idleFor)).map(({ message }) => message);
  const before = await scan.before(warningsNow);
  const { servers, ...report } = await scan.run({
    newTally: () => ({ top: new TopKeys(options.top), stale: 0, unknown: 0 }),
    look: async (keys, questions) => {
      const idle = await idleTimes(keys, questions);
      return (tally) => {
        for (const [position, key] of keys.entries()) {
          const size = idle[position];
          if (size === SHARED) tally.unknown++;
          if (typeof size !== 'number' || size < options.idleFor) continue;
          tally.stale++;
          tally.top.add({ key, size });
        }
      };
    },
  });
  // Once more, for a server that has taken over meanwhile; one that was waited for in vain is not asked, nor for who does not wait any more.
  const isOver = report.failure !== undefined || options.signal?.aborted === true;
  const after = isOver ? [] : await scan.before(warningsNow).catch(notAsked);
  const all = new TopKeys<Measured & { readonly node: string }>(options.top);
  for (const { questions, tally } of servers)
    for (const key of tally.top.sorted()) all.add({ ...key, node: questions.node });
  return {
    ...report,
    keys: all.sorted().map(({ node, key, size }) => ({ node, ...reportedKey(key), idle: size })),
    stale: servers.reduce((sum, { tally }) => sum + tally.stale, 0),
    unknown: servers.reduce((sum, { tally }) => sum + tally.unknown, 0),
    warnings: [...new Set([...before, ...after])],
  };
}

/** What was found stands without it. */
function notAsked(error: unknown): readonly string[] {
  if (!(error instanceof RedisError)) throw error;
  return [`Whether a server has taken over meanwhile is not known: ${error.message}`];
}
