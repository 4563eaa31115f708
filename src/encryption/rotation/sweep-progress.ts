import type { LimitedWarnings } from '../../logging/limited-warnings.js';
import { END, PAGE, type Page } from './key-walk.js';
import { tellProgress } from '../options/work-options.js';
import type { ResolvedSweepOptions } from './resolve-rotation-options.js';
import type { RotationProgress } from './rotation-options.js';

interface ProgressParts {
  readonly phase: RotationProgress['phase'];
  readonly onProgress: ResolvedSweepOptions['onProgress'];
  readonly reencrypted: () => number;
  readonly warnings: LimitedWarnings;
  /** Whether cursors tell how far a server is: those of a Cluster may begin with the slot. */
  readonly areCursorsPositions: boolean;
}

/** Tells how far a sweep is. */
export class SweepProgress {
  readonly #parts: ProgressParts;
  #total = 0;
  #done = 0;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
  }

  /** @param total how many keys the servers have */
  begin(total: number): void {
    this.#total = total;
  }

  passed({ next }: Page): void {
    const { areCursorsPositions } = this.#parts;
    const done = areCursorsPositions
      ? Math.floor(this.#total * (next === END ? 1 : positionOf(next)))
      : this.#done + PAGE;
    this.#done = Math.max(this.#done, Math.min(done, this.#total));
    this.tell();
  }

  end(): void {
    this.#done = this.#total;
    this.tell();
  }

  /** Something was done within a key. */
  tell(): void {
    const { phase, reencrypted, warnings } = this.#parts;
    const progress = { phase, done: this.#done, total: this.#total, reencrypted: reencrypted() };
    tellProgress(this.#parts, progress, (error) =>
      warnings.warn('progress', `onProgress has failed, and the rotation goes on: ${String(error)}`),
    );
  }
}

/** Which part of a server's keys lies before a cursor: SCAN counts from the highest bit of the hash table's index down. */
export function positionOf(cursor: string): number {
  let position = 0;
  let weight = 0.5;
  for (let rest = BigInt(cursor); rest > 0n; rest >>= 1n, weight /= 2) if (rest & 1n) position += weight;
  return position;
}
