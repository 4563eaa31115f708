import { settlesBefore } from '../../timing/settles-before.js';

export interface QuestionOptions<Answer> {
  /** May reject, or never settle. */
  readonly ask: () => Promise<Answer>;
  /** Whether there is anybody to ask. */
  readonly isOpen?: () => boolean;
  /** For how many milliseconds an answer is used. */
  readonly cacheFor: number;
  /** How many milliseconds a scrape waits. */
  readonly timeout: number;
}

interface Answered<Answer> {
  readonly value: Answer;
  /** By `performance.now()`. */
  readonly at: number;
}

/**
 * Something that is asked of Redis at a scrape: once for all that ask meanwhile, and again only when it was answered, so that nothing piles
 * up at a server that is silent.
 */
export class Question<Answer> {
  readonly #options: QuestionOptions<Answer>;
  #pending: Promise<void> | undefined;
  #answer: Answered<Answer> | undefined;

  constructor(options: QuestionOptions<Answer>) {
    this.#options = options;
  }

  /** Undefined where there is no answer in time: an old one would look as if nothing had changed. Never rejects. */
  async ask(): Promise<Answer | undefined> {
    const { cacheFor, timeout, isOpen = () => true } = this.#options;
    if (!this.#isFresh(cacheFor) && isOpen()) {
      await settlesBefore((this.#pending ??= this.#send()), performance.now() + timeout, 'free');
    }
    // What was asked for now is an answer also where none is to be used again.
    return this.#isFresh(Math.max(cacheFor, timeout)) ? this.#answer?.value : undefined;
  }

  #isFresh(age: number): boolean {
    return this.#answer !== undefined && performance.now() - this.#answer.at <= age;
  }

  #send(): Promise<void> {
    // What `ask` throws at once is a rejection like others.
    const asked = new Promise<Answer>((answered) => answered(this.#options.ask()));
    return asked.then(
      (value) => this.#settle({ value, at: performance.now() }),
      () => this.#settle(undefined),
    );
  }

  #settle(answer: Answered<Answer> | undefined): void {
    this.#answer = answer;
    this.#pending = undefined;
  }
}
