import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.js';

interface Step {
  readonly title: string;
  readonly done: number;
  readonly total: number;
}

/** A bar for what is under way, one step after the other; nothing where there is no terminal to draw it on. */
export class Progress {
  readonly #terminal: Terminal;
  #title: string | undefined;
  #bar: SingleBar | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Begins another bar when the title is another. */
  show({ title, done, total }: Step): void {
    if (!this.#terminal.hasProgress) return;
    if (title !== this.#title) this.#begin(title, total);
    this.#bar?.update(Math.min(done, total));
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#title = undefined;
  }

  #begin(title: string, total: number): void {
    this.stop();
    this.#title = title;
    this.#bar = new SingleBar({
      format: `${title} {bar} {percentage} % | {value} of {total} | {eta_formatted} left`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      // What is there after it is the result.
      clearOnComplete: true,
      stream: this.#terminal.errors,
      // It would keep the process, and take the signal that the command itself answers.
      gracefulExit: false,
    });
    this.#bar.start(total, 0);
  }
}
