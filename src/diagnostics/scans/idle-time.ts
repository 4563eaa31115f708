import type { RedisError } from '../../redis/index.js';
import { IdleTimeUnavailableError } from './idle-time-unavailable-error.js';
import type { KeyQuestions, Question } from './key-questions.js';

/** `OBJECT IDLETIME` is in seconds. */
const SECOND = 1_000;

const IDLE_TIME: Question = {
  part: 'OBJECT IDLETIME',
  send: (pipeline, key) => pipeline.object('IDLETIME', key),
};

const REFERENCES: Question = {
  part: 'OBJECT REFCOUNT',
  send: (pipeline, key) => pipeline.object('REFCOUNT', key),
};

/**
 * In the place of an idle time: the value is an object that other keys have too, and so is its idle time. The server keeps one object for each
 * of the numbers 0 to 9999, unless it evicts by LRU or LFU, and to write such a value does not touch the object.
 */
export const SHARED = Symbol('shared');

/**
 * How long each key was not used, in milliseconds; undefined where there is no such key, or the user may not look at it.
 *
 * @throws RedisError where Redis is away, or may not be asked; IdleTimeUnavailableError
 */
export async function idleTimes(
  keys: readonly Buffer[],
  questions: KeyQuestions,
): Promise<(number | typeof SHARED | undefined)[]> {
  const answers = await questions.ask(keys.map((key) => [key, [REFERENCES, IDLE_TIME]]));
  const omission = questions.omissionOf(IDLE_TIME) ?? questions.omissionOf(REFERENCES);
  if (omission) throw omission.error;
  return answers.map(([references, idle]) => {
    if (typeof references !== 'number' || typeof idle !== 'number') return undefined;
    // Which other number stands for shared ones depends on the server.
    return references === 1 ? idle * SECOND : SHARED;
  });
}

/** Of what a server, or a script, says that is under another policy now. */
export function idleTimeProblem(error: RedisError): IdleTimeUnavailableError | undefined {
  return /\bLFU\b/.test(error.message) ? noIdleTime('an LFU policy', error) : undefined;
}

export function noIdleTime(policy: string, cause?: RedisError): IdleTimeUnavailableError {
  return new IdleTimeUnavailableError(
    `Idle time does not exist under ${policy}: the server records how often keys are used, and not when. ` +
      'Use olderThan for entries of the cache, or bigKeys; or set maxmemory-policy to one without LFU, and wait for as long as idleFor',
    { reason: 'policy', ...(cause && { cause }) },
  );
}
