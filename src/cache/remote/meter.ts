import type { SocketProgress } from '../../redis/shared.js';

/** Operations that begin within so many milliseconds are of one burst. */
const BURST = 5;

/** So many bytes for each reply are much: they, and not the server, take the time. */
const MUCH = 32 * 1_024;

/** What was seen at a moment. */
export interface Reading extends SocketProgress {
  /** Replies to operations, of all and of the burst. */
  readonly answers: number;
  readonly burstAnswers: number;
}

/** Operations that began at about the same time. */
export interface Burst {
  readonly beganAt: number;
  readonly beginning: Reading;
  answers: number;
}

/** Tells a master that is busy with much from one that is slow or away. */
export class Meter {
  readonly #progress: () => SocketProgress;
  /** Bytes that were sent, or asked for, and are not answered: as far as is known beforehand. */
  outstanding = 0;
  #answers = 0;
  #burst: Burst | undefined;

  /** @param progress of the connection to the master */
  constructor(progress: () => SocketProgress) {
    this.#progress = progress;
  }

  /** An operation begins. @param bytes that are sent, or will come, where they may be many; now `performance.now()` */
  begin(bytes: number, now: number): Burst {
    this.outstanding += bytes;
    if (this.#burst && now - this.#burst.beganAt < BURST) return this.#burst;
    const beginning = { ...this.#progress(), answers: this.#answers, burstAnswers: 0 };
    return (this.#burst = { beganAt: now, beginning, answers: 0 });
  }

  /** An operation was answered, in time or not. */
  answer(burst: Burst): void {
    this.#answers++;
    burst.answers++;
  }

  /** It was answered, or never will be. */
  end(bytes: number): void {
    this.outstanding -= bytes;
  }

  read(burst: Burst): Reading {
    return { ...this.#progress(), answers: this.#answers, burstAnswers: burst.answers };
  }
}

/**
 * Whether much was done meanwhile: others of the burst were answered, or the bytes that moved are more than small replies make. What
 * was sent shows nothing by itself, since the kernel takes it also for a server that is away; only of what it could not take at once.
 */
export function isBusy(before: Reading, after: Reading): boolean {
  if (after.burstAnswers > before.burstAnswers) return true;
  const isDraining = before.queued > 0 || after.queued > 0;
  const moved = after.read - before.read + (isDraining ? after.sent - before.sent : 0);
  return moved >= MUCH * (after.answers - before.answers + 1);
}
