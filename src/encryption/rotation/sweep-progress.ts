import type { Page } from '../../keyspace/key-walk.js';
import { tellProgress } from '../../keyspace/tell-progress.js';
import { WalkProgress } from '../../keyspace/walk-progress.js';
import type { LimitedWarnings } from '../../logging/limited-warnings.js';
import type { RedisConnection } from '../../redis/index.js';
import type { ResolvedSweepOptions } from './resolve-rotation-options.js';
import type { RotationProgress } from './rotation-options.js';

interface ProgressParts {
  readonly phase: RotationProgress['phase'];
  readonly onProgress: ResolvedSweepOptions['onProgress'];
  readonly reencrypted: () => number;
  readonly warnings: LimitedWarnings;
  readonly topology: RedisConnection['topology'];
}

/** Tells how far a rotation is. */
export class SweepProgress {
  readonly #parts: ProgressParts;
  readonly #walk: WalkProgress;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
    this.#walk = new WalkProgress(parts.topology);
  }

  /** @param total how many keys the servers have */
  begin(total: number): void {
    this.#walk.begin(total);
  }

  passed(page: Page): void {
    this.#walk.passed(page);
    this.tell();
  }

  end(): void {
    this.#walk.end();
    this.tell();
  }

  /** Something was done within a key. */
  tell(): void {
    const { phase, reencrypted, warnings } = this.#parts;
    const { done, total } = this.#walk;
    tellProgress(this.#parts, { phase, done, total, reencrypted: reencrypted() }, (error) =>
      warnings.warn('progress', `onProgress has failed, and the rotation goes on: ${String(error)}`),
    );
  }
}
