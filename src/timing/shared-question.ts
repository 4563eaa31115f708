import { setImmediate as nextTurn } from 'node:timers/promises';
import { settlesBefore } from './settles-before.js';

export interface SharedQuestionOptions<Answer> {
  /** Asks. It may throw, reject, or never settle; it should not give up by itself, or the next one asks while the reply is still awaited. */
  readonly ask: () => Promise<Answer>;
  /** For how many milliseconds an answer is given again; 0 for not at all. A failure is kept for a second at most. */
  readonly keepFor: number;
  /** After so many milliseconds of silence it is asked anew all the same: for what may never settle. @default never */
  readonly askAgainAfter?: number;
  /** Whether there is anybody to ask. Where there is not, nothing is answered, whatever is kept. @default always */
  readonly isOpen?: () => boolean;
}

/** In milliseconds: long enough for all that want to know at once, and what it was about may be over soon. */
const LONGEST_KEPT_FAILURE = 1_000;

/** One question that was asked, and who waits for its answer. */
class Asking<Answer> {
  /** `performance.now()` */
  readonly since = performance.now();
  /** Never rejects. */
  readonly settled: Promise<void>;
  /** Undefined where there is none (yet), or where asking has failed. */
  answer: Answer | undefined;

  constructor(ask: () => Promise<Answer>) {
    // What `ask` throws at once is a rejection like others.
    this.settled = new Promise<Answer>((resolve) => resolve(ask())).then(
      (answer) => this.#settle(answer),
      () => this.#settle(undefined),
    );
  }

  #settle(answer: Answer | undefined): void {
    this.answer = answer;
  }
}

/**
 * Something that is asked of who may be silent: once for all who want to know meanwhile, and not again before the reply has come, so that
 * nothing piles up. The answer is kept for a while.
 *
 * @example
 * const groups = new SharedQuestion({ ask: () => bus.stats(), keepFor: 1_000, isOpen: () => bus.connection?.state === 'ready' });
 * const stats = await groups.answer(500);
 */
export class SharedQuestion<Answer> {
  readonly #options: SharedQuestionOptions<Answer>;
  #asking: Asking<Answer> | undefined;
  #kept: { readonly answer: Answer | undefined; readonly until: number } | undefined;

  constructor(options: SharedQuestionOptions<Answer>) {
    this.#options = options;
  }

  /**
   * Undefined where there is nobody to ask, where asking has failed (which is kept, too, for a second at most), and where the answer is late. It does not keep the process alive.
   * Never rejects.
   *
   * @param timeout milliseconds from the moment of asking, be it by somebody else: who comes later does not wait for the same silence again
   */
  async answer(timeout: number): Promise<Answer | undefined> {
    const { isOpen = () => true, askAgainAfter = Infinity } = this.#options;
    if (!isOpen()) return undefined;
    const now = performance.now();
    if (this.#kept && now < this.#kept.until) return this.#kept.answer;
    if (this.#asking && now - this.#asking.since >= askAgainAfter) this.forget();
    const asking = (this.#asking ??= this.#ask());
    const isInTime = await settlesBefore(asking.settled, asking.since + timeout, 'free');
    // After a long turn of the event loop the answer may be there, unread.
    if (!isInTime) await nextTurn();
    return asking.answer;
  }

  /** At a change of what is asked about: nothing is kept, and the next one asks anew. Who waits is still given the answer that was asked for. */
  forget(): void {
    this.#asking = undefined;
    this.#kept = undefined;
  }

  #ask(): Asking<Answer> {
    const { ask, keepFor } = this.#options;
    const asking = new Asking(ask);
    void asking.settled.then(() => {
      // Another one may be asked since it was forgotten.
      if (this.#asking !== asking) return;
      this.#asking = undefined;
      const { answer } = asking;
      const longest = answer === undefined ? LONGEST_KEPT_FAILURE : Infinity;
      this.#kept = { answer, until: performance.now() + Math.min(keepFor, longest) };
    });
    return asking;
  }
}
