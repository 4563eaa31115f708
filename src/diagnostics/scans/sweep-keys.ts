import { HEAD_LENGTH, readBorn } from '../../cache/shared.js';
import { allDone } from '../../keyspace/work-limit.js';
import { defineScript, RedisError, type RedisConnection, type Script } from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import { checkIdleTimes, notTrusted, promotedDoubt, stillSaving } from './idle-time-doubts.js';
import { IdleTimeUnavailableError } from './idle-time-unavailable-error.js';
import { idleTimes, SHARED } from './idle-time.js';
import { type KeyQuestions, type Question } from './key-questions.js';
import { KeyScan } from './key-scan.js';
import type { ResolvedSweepKeysOptions } from './resolve-scan-options.js';
import type { SweepReport } from './scan-reports.js';

/** What may go, as sweep-key.lua takes it. */
type Condition =
  | { readonly by: 'idle' | 'trusted idle'; readonly bound: number }
  /** `bound`: the server's time, in milliseconds. */
  | { readonly by: 'age'; readonly bound: number };

const HEAD: Question = {
  part: 'GETRANGE',
  send: (pipeline, key) => pipeline.getrangeBuffer(key, 0, HEAD_LENGTH - 1),
};

const REMOVAL = { part: 'EVALSHA' };

type Removal = 'removed' | 'stays' | 'not trusted' | 'saving';

interface Tally {
  found: number;
  unknown: number;
}

const sweepKey: Script<Condition & { readonly key: Buffer }, Removal> = defineScript({
  lua: new URL('./sweep-key.lua', import.meta.url),
  keys: ({ key }: Condition & { readonly key: Buffer }) => [key],
  args: ({ by, bound }) => [by, bound],
  reply: (removed): Removal => {
    if (removed === -1) return 'not trusted';
    if (removed === -2) return 'saving';
    return removed === 1 ? 'removed' : 'stays';
  },
});

/**
 * Removes keys that are not used, or old. Each is looked at together with others, and once more by the script that removes it, so that one
 * that was used in between stays. One script for each: keys of a node may lie in different slots.
 *
 * @throws IdleTimeUnavailableError, and as {@link KeyScan.run}, where nothing was removed yet
 */
export async function sweepKeys(
  connection: RedisConnection,
  options: ResolvedSweepKeysOptions,
): Promise<SweepReport> {
  const { dryRun } = options;
  const scan = new KeyScan<Tally>(connection, options);
  const condition = await scan.before(() => conditionOf(connection, options));
  let removed = 0;
  let refusal: SweepReport['failure'];
  const { servers, ...report } = await scan.run({
    newTally: () => ({ found: 0, unknown: 0 }),
    look: async (keys, questions) => {
      const { found, unknown } = await candidates(keys, questions, condition);
      // Counted one by one: what is removed stays so, whatever becomes of the others.
      if (!dryRun) await remove(found, questions, condition, () => removed++);
      return (tally) => {
        tally.found += found.length;
        tally.unknown += unknown;
      };
    },
    isReported: (error) => {
      if (removed === 0 || !isFailure(error)) return false;
      refusal = error;
      return true;
    },
  });
  // A server that has taken over meanwhile: where something is removed, the script asks. Who has stopped it does not wait for that.
  if (dryRun && condition.by === 'idle' && !report.failure && !options.signal?.aborted)
    refusal = await scan.before(() => checkIdleTimes(connection, condition)).then(() => undefined, asFailure);
  const sumOf = (name: keyof Tally): number => servers.reduce((sum, { tally }) => sum + tally[name], 0);
  return {
    ...report,
    complete: report.complete && !refusal,
    failure: refusal ?? report.failure,
    removed: dryRun ? sumOf('found') : removed,
    unknown: sumOf('unknown'),
    dryRun,
  };
}

function isFailure(error: unknown): error is NonNullable<SweepReport['failure']> {
  return error instanceof RedisError || error instanceof IdleTimeUnavailableError;
}

function asFailure(error: unknown): NonNullable<SweepReport['failure']> {
  if (isFailure(error)) return error;
  throw error;
}

async function conditionOf(
  connection: RedisConnection,
  { condition: { by, atLeast } }: ResolvedSweepKeysOptions,
): Promise<Condition> {
  if (by !== 'age') {
    const condition = { by, bound: atLeast };
    await checkIdleTimes(connection, condition);
    return condition;
  }
  // Entries are of the server's time.
  const [seconds, microseconds] = await orRedisError(connection.masters()[0]!.time());
  return { by, bound: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000) - atLeast };
}

async function candidates(
  keys: readonly Buffer[],
  questions: KeyQuestions,
  { by, bound }: Condition,
): Promise<{ readonly found: Buffer[]; readonly unknown: number }> {
  if (by === 'age') return { found: await madeBefore(bound, keys, questions), unknown: 0 };
  const idle = await idleTimes(keys, questions);
  const isLongEnough = (time: (typeof idle)[number]): boolean => typeof time === 'number' && time >= bound;
  return {
    found: keys.filter((_, position) => isLongEnough(idle[position])),
    unknown: idle.filter((time) => time === SHARED).length,
  };
}

async function madeBefore(
  bound: number,
  keys: readonly Buffer[],
  questions: KeyQuestions,
): Promise<Buffer[]> {
  const answers = await questions.ask(keys.map((key) => [key, [HEAD]]));
  const omission = questions.omissionOf(HEAD);
  if (omission) throw omission.error;
  return keys.filter((_, position) => {
    const [head] = answers[position]!;
    const born = Buffer.isBuffer(head) ? readBorn(head) : undefined;
    return born !== undefined && born < bound;
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
      const removal = await sweepKey.run(questions.master, { ...condition, key });
      if (removal === 'not trusted') throw notTrusted(promotedDoubt(questions.node));
      if (removal === 'saving') throw stillSaving(questions.node);
      if (removal === 'removed') onRemoved();
    } catch (error) {
      if (error instanceof IdleTimeUnavailableError) throw error;
      questions.noteRefusal(REMOVAL, error);
    }
  };
  await allDone(keys.map(removeOne));
  const omission = questions.omissionOf(REMOVAL);
  if (omission) throw omission.error;
}
