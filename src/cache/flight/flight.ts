import type { Found } from '../lookup/found.js';

/** A value, and how it came about. */
export interface Outcome {
  readonly value: unknown;
  readonly status: 'hit' | 'stale' | 'miss';
  /** When it was made, and until when it is fresh, on the server's clock. */
  readonly born: number;
  readonly freshUntil: number;
}

/** One making of a value, which all that ask for it meanwhile wait for. */
export class Flight {
  readonly key: string;
  /** Of the lease that it makes the value under. */
  readonly token: string;
  /** What may be served if it takes too long, or fails. */
  readonly fallback: Found | undefined;
  #isMaking = false;
  #isCertain = true;
  made!: Promise<Outcome>;

  constructor(key: string, token: string, fallback: Found | undefined) {
    this.key = key;
    this.token = token;
    this.fallback = fallback;
  }

  /**
   * Whether others may join it unseen. Not when its key has changed since its factory began: that may have been its own lease, or an
   * invalidation that it is older than. Whether the lease still stands in Redis tells.
   */
  get isCertain(): boolean {
    return this.#isCertain;
  }

  /** The factory begins: from now on it may be older than a change. */
  begin(): void {
    this.#isMaking = true;
  }

  /** The key has changed, whoever did it. */
  doubt(): void {
    if (this.#isMaking) this.#isCertain = false;
  }

  /** What it makes is known to be still wanted. */
  confirm(): void {
    this.#isCertain = true;
  }
}
