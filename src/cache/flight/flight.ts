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
  /** The key in Redis. */
  readonly redisKey: string;
  /** Of the lease that it makes the value under. */
  readonly token: string;
  /** What may be served if it takes too long, or fails. */
  readonly fallback: Found | undefined;
  #isMaking = false;
  #begunAt = 0;
  #isCertain = true;
  #isOutdated = false;
  #changes = 0;
  #revocations = 0;
  readonly #patience: number;
  made!: Promise<Outcome>;
  /** Of a value that is on its way to Redis: settles when it is stored, or will not be. Until then the flight goes on. */
  stored: Promise<void> | undefined;

  /** @param patience milliseconds after which it is no longer believed to end */
  constructor(
    key: string,
    redisKey: string,
    { token, fallback, patience }: { token: string; fallback: Found | undefined; patience: number },
  ) {
    this.key = key;
    this.redisKey = redisKey;
    this.#patience = patience;
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

  /** Whether its value is made, and on its way to Redis: who comes now finds it there. */
  get isMade(): boolean {
    return this.stored !== undefined;
  }

  /** Whether it began longer ago than so many milliseconds. */
  isOlderThan(age: number): boolean {
    return this.#isMaking && performance.now() - this.#begunAt > age;
  }

  /** Whether it has begun after a moment of `performance.now()`: it is then no older than who asked at that moment may expect. */
  hasBegunSince(moment: number): boolean {
    return this.#isMaking && this.#begunAt >= moment;
  }

  /** Whether its factory runs for so long that others make the value without it. */
  get isOverdue(): boolean {
    return this.isOlderThan(this.#patience);
  }

  /** How often this process has invalidated its key since it began: what was found before must not be served any more. */
  get revocations(): number {
    return this.#revocations;
  }

  /** Whether it may be older than an invalidation, whatever becomes of its lease: nobody may join it. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** How often its key has changed since it began. */
  get changes(): number {
    return this.#changes;
  }

  /** The factory begins, or the cache is read in its place: from now on it may be older than a change. */
  begin(): void {
    this.#isMaking = true;
    this.#begunAt = performance.now();
  }

  /** What was read is of no use: it begins once more. */
  startOver(): void {
    this.#isMaking = false;
    this.#isCertain = true;
    this.#isOutdated = false;
  }

  /** The key has changed, whoever did it. */
  doubt(): void {
    if (!this.#isMaking) return;
    this.#isCertain = false;
    this.#changes++;
  }

  /** Something that the value may depend on was invalidated. */
  outdate(): void {
    this.doubt();
    this.#isOutdated = this.#isMaking;
  }

  /** This process has invalidated its key. */
  revoke(): void {
    this.#revocations++;
    this.outdate();
  }

  /** Its lease was found to stand, by a read that began after so many changes. */
  confirm(changes: number): void {
    if (changes === this.#changes && !this.#isOutdated) this.#isCertain = true;
  }
}
