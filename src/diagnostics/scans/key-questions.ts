import type { ChainableCommander, Redis } from 'ioredis';
import {
  RedisClusterError,
  RedisCommandError,
  RedisPermissionError,
  RedisWrongTypeError,
  toRedisError,
  type RedisError,
} from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import type { Omission } from '../../inquiry/omission.js';
import { idleTimeProblem } from './idle-time.js';
import { keyArgument } from './key-text.js';

/** What is asked of a key. */
export interface Question {
  /** The command, for {@link Omission.part}. */
  readonly part: string;
  readonly send: (pipeline: ChainableCommander, key: string | Buffer) => unknown;
}

/** In the place of an answer: the user may not look at this key. */
export const HIDDEN = Symbol('hidden');

/** Redis tells of a command that is not permitted, and of a key, in words only. */
const COMMAND_REFUSED = /permissions? to run|can't run/i;

/** The key is on its way to another master. Whoever walks through all masters notices that. */
const MOVED = /^(?:MOVED|ASK|TRYAGAIN) /;

/** Asks a node of many keys at once, and notes what it does not tell. */
export class KeyQuestions {
  readonly master: Redis;
  readonly node: string;
  readonly #omissions: Omission[];

  /** @param omissions of all nodes: those of this one are added */
  constructor(master: Redis, node: string, omissions: Omission[]) {
    this.master = master;
    this.node = node;
    this.#omissions = omissions;
  }

  /** Why a question is not asked any more. */
  omissionOf({ part }: Pick<Question, 'part'>): Omission | undefined {
    return this.#omissions.find((omission) => omission.node === this.node && omission.part === part);
  }

  /**
   * One trip for all of it.
   *
   * @returns for each key an answer to each question; undefined where there is none: the key is of another type by now, is on its way to
   *   another master, or the question is omitted
   * @throws RedisError where Redis is away; IdleTimeUnavailableError
   */
  async ask(asked: readonly (readonly [Buffer, readonly Question[]])[]): Promise<unknown[][]> {
    const pipeline = this.master.pipeline();
    const sent: Question[] = [];
    for (const [bytes, questions] of asked) {
      const key = keyArgument(bytes);
      for (const question of questions) {
        if (this.omissionOf(question)) continue;
        question.send(pipeline, key);
        sent.push(question);
      }
    }
    const replies = sent.length > 0 ? ((await orRedisError(pipeline.exec())) ?? []) : [];
    let next = 0;
    const answerTo = (question: Question): unknown => {
      if (sent[next] !== question) return undefined;
      const [error, value] = replies[next++] ?? [];
      return error ? this.noteRefusal(question, error) : value;
    };
    return asked.map(([, questions]) => questions.map(answerTo));
  }

  /**
   * @returns in the place of an answer
   * @throws RedisError where Redis is away; IdleTimeUnavailableError
   */
  noteRefusal({ part }: Pick<Question, 'part'>, cause: unknown): undefined | typeof HIDDEN {
    const error = toRedisError(cause);
    if (error instanceof RedisPermissionError) return this.#notPermitted(part, error);
    if (error instanceof RedisWrongTypeError) return undefined;
    if (error instanceof RedisClusterError && MOVED.test(error.message)) return undefined;
    const problem = error && idleTimeProblem(error);
    if (problem) throw problem;
    if (!(error instanceof RedisCommandError)) throw error ?? cause;
    this.#omit(part, 'not available', error);
    return undefined;
  }

  #notPermitted(part: string, error: RedisPermissionError): undefined | typeof HIDDEN {
    const isCommand = COMMAND_REFUSED.test(error.message);
    this.#omit(isCommand ? part : 'some keys', 'not permitted', error);
    return isCommand ? undefined : HIDDEN;
  }

  #omit(part: string, reason: Omission['reason'], error: RedisError): void {
    if (!this.omissionOf({ part })) this.#omissions.push({ part, node: this.node, reason, error });
  }
}
