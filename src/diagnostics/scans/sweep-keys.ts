import { HEAD_LENGTH, readBorn } from '../../cache/shared.js';
import { allDone } from '../../keyspace/work-limit.js';
import { defineScript, type RedisConnection, type Script } from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import { checkIdleTime, idleTimes } from './idle-time.js';
import { type KeyQuestions, type Question } from './key-questions.js';
import { KeyScan } from './key-scan.js';
import type { ResolvedSweepKeysOptions } from './resolve-scan-options.js';
import type { SweepReport } from './scan-reports.js';

/** What may go, as sweep-key.lua takes it. */
type Condition =
  | { readonly by: 'idle'; readonly bound: number }
  /** `bound`: the server's time, in milliseconds. */
  | { readonly by: 'age'; readonly bound: number };

const HEAD: Question = {
  part: 'GETRANGE',
  send: (pipeline, key) => pipeline.getrangeBuffer(key, 0, HEAD_LENGTH - 1),
};

const REMOVAL = { part: 'EVALSHA' };

const sweepKey: Script<Condition & { readonly key: Buffer }, boolean> = defineScript({
  lua: new URL('./sweep-key.lua', import.meta.url),
  keys: ({ key }: Condition & { readonly key: Buffer }) => [key],
  args: ({ by, bound }) => [by, bound],
  reply: (removed) => removed === 1,
});

/**
 * Removes keys that are not used, or old. Each is looked at together with others, and once more by the script that removes it, so that one
 * that was used in between stays. One script for each: keys of a node may lie in different slots.
 *
 * @throws IdleTimeUnavailableError, and as {@link KeyScan.run}
 */
export async function sweepKeys(
  connection: RedisConnection,
  options: ResolvedSweepKeysOptions,
): Promise<SweepReport> {
  const { dryRun } = options;
  const scan = new KeyScan<{ found: number }>(connection, options);
  const condition = await scan.before(() => conditionOf(connection, options));
  let removed = 0;
  const { servers, ...report } = await scan.run({
    newTally: () => ({ found: 0 }),
    look: async (keys, questions) => {
      const found = await candidates(keys, questions, condition);
      // Counted one by one: what is removed stays so, whatever becomes of the others.
      if (!dryRun) await remove(found, questions, condition, () => removed++);
      return (tally) => void (tally.found += found.length);
    },
  });
  const found = servers.reduce((sum, { tally }) => sum + tally.found, 0);
  return { ...report, removed: dryRun ? found : removed, dryRun };
}

async function conditionOf(
  connection: RedisConnection,
  { condition: { by, atLeast } }: ResolvedSweepKeysOptions,
): Promise<Condition> {
  if (by === 'idle') {
    await checkIdleTime(connection);
    return { by, bound: atLeast };
  }
  // Entries are of the server's time.
  const [seconds, microseconds] = await orRedisError(connection.masters()[0]!.time());
  return { by, bound: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000) - atLeast };
}

async function candidates(
  keys: readonly Buffer[],
  questions: KeyQuestions,
  { by, bound }: Condition,
): Promise<Buffer[]> {
  if (by === 'idle') {
    const idle = await idleTimes(keys, questions);
    return keys.filter((_, position) => (idle[position] ?? -1) >= bound);
  }
  const answers = await questions.ask(keys.map((key) => [key, [HEAD]]));
  const omission = questions.omissionOf(HEAD);
  if (omission) throw omission.error;
  return keys.filter((_, position) => {
    const [head] = answers[position]!;
    const born = Buffer.isBuffer(head) ? readBorn(head) : undefined;
    // A lease on what is being made for the first time has no birth.
    return born !== undefined && born > 0 && born < bound;
  });
}

async function remove(
  keys: readonly Buffer[],
  questions: KeyQuestions,
  condition: Condition,
  onRemoved: () => void,
): Promise<void> {
  const removeOne = async (key: Buffer): Promise<void> => {
    try {
      if (await sweepKey.run(questions.master, { ...condition, key })) onRemoved();
    } catch (error) {
      questions.noteRefusal(REMOVAL, error);
    }
  };
  await allDone(keys.map(removeOne));
  const omission = questions.omissionOf(REMOVAL);
  if (omission) throw omission.error;
}
