import type { RedisCommandError, RedisConnection } from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import type { KeyQuestions, Question } from './key-questions.js';

/** `OBJECT IDLETIME` is in seconds. */
const SECOND = 1_000;

const IDLE_TIME: Question = {
  part: 'OBJECT IDLETIME',
  send: (pipeline, key) => pipeline.object('IDLETIME', key),
};

/**
 * How long keys were not used is not known: under an LFU policy (`maxmemory-policy`), the server records how often they are used in its
 * place.
 */
export class IdleTimeUnavailableError extends Error {
  readonly code = 'INSPECTION_IDLE_TIME_UNAVAILABLE';

  /** @param policy of the server */
  constructor(policy: string, options?: ErrorOptions) {
    super(
      `Idle time does not exist under ${policy}: the server records how often keys are used, and not when. ` +
        'Use olderThan for entries of the cache, or bigKeys; or set maxmemory-policy to one without LFU, and wait for as long as idleFor',
      options,
    );
    this.name = new.target.name;
  }
}

/**
 * How long each key was not used, in milliseconds; undefined where there is no such key, or the user may not look at it.
 *
 * @throws RedisError where Redis is away, or may not be asked; IdleTimeUnavailableError
 */
export async function idleTimes(
  keys: readonly Buffer[],
  questions: KeyQuestions,
): Promise<(number | undefined)[]> {
  const answers = await questions.ask(keys.map((key) => [key, [IDLE_TIME]]));
  const omission = questions.omissionOf(IDLE_TIME);
  if (omission) throw omission.error;
  return answers.map(([idle]) => (typeof idle === 'number' ? idle * SECOND : undefined));
}

/**
 * Asks each master before all keys are walked through.
 *
 * @throws IdleTimeUnavailableError; RedisError
 */
export async function checkIdleTime(connection: RedisConnection): Promise<void> {
  const asked = connection.masters().map((master) => orRedisError(master.info('memory')));
  for (const memory of await Promise.all(asked)) {
    const policy = /^maxmemory_policy:(\S*lfu)\b/m.exec(memory)?.[1];
    if (policy !== undefined) throw new IdleTimeUnavailableError(`the policy ${policy}`);
  }
}

/** Of what a server says that is under another policy now. */
export function idleTimeProblem(error: RedisCommandError): IdleTimeUnavailableError | undefined {
  return /\bLFU\b/.test(error.message)
    ? new IdleTimeUnavailableError('an LFU policy', { cause: error })
    : undefined;
}
