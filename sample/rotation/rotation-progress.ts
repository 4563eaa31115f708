import type { RotationProgress } from 'rednest';
import { showProgress, type Progress } from '../common/progress.js';

const TITLES = {
  rotating: 'Encrypting anew',
  counting: 'Counting',
} as const satisfies Record<RotationProgress['phase'], string>;

/** Shows how far a rotation is: first it encrypts, then it counts. */
export class RotationProgressView {
  readonly #write: (line: string) => void;
  #phase: RotationProgress['phase'] | undefined;
  #shown: Progress | undefined;

  /** @param write takes a line */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  show({ phase, done, total }: RotationProgress): void {
    if (phase !== this.#phase) {
      this.stop();
      this.#phase = phase;
      this.#shown = showProgress(TITLES[phase], total, this.#write);
    }
    this.#shown?.advance(done);
  }

  stop(): void {
    this.#shown?.stop();
    this.#shown = undefined;
  }
}
