import { toRedisError } from '../../redis/index.js';
import type { Invalidation, InvalidationKind } from './pending-invalidations.js';
import type { KeyRequest } from './scripts.js';

/** After how many milliseconds what was refused is sent again: at first, and at most. */
const BACK_OFF = { first: 1_000, most: 60_000 };

interface Refusals {
  delay: number;
  until: number;
}

interface ReplayHooks {
  /** Sends those of one kind and slot. Rejects with why they were not taken. */
  send(kind: InvalidationKind, requests: readonly KeyRequest[]): Promise<unknown>;
  slotOf(key: string): number;
  confirm(invalidations: readonly Invalidation[]): void;
}

/** Sends invalidations again. Kinds that Redis refuses, such as by its ACL, are sent more and more seldom. */
export class Replay {
  readonly #limit: number;
  readonly #hooks: ReplayHooks;
  readonly #refusals = new Map<InvalidationKind, Refusals>();

  /** @param limit how many a command may have */
  constructor(limit: number, hooks: ReplayHooks) {
    this.#limit = limit;
    this.#hooks = hooks;
  }

  /** Confirms those that are taken. @throws when others were not, for a reason other than that they are refused */
  async run(invalidations: readonly Invalidation[]): Promise<void> {
    const now = performance.now();
    const due = invalidations.filter(({ kind }) => (this.#refusals.get(kind)?.until ?? 0) <= now);
    // Side by side: one after another, many of them would never be done in the time that is given.
    const outcomes = await Promise.allSettled(this.#parts(due).map((part) => this.#send(part)));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async #send(part: readonly [Invalidation, ...Invalidation[]]): Promise<void> {
    const [{ kind }] = part;
    try {
      await this.#hooks.send(
        kind,
        part.map(({ key }) => ({ key, slot: this.#hooks.slotOf(key) })),
      );
      this.#refusals.delete(kind);
    } catch (error) {
      if (toRedisError(error)?.retryable !== false) throw error;
      return this.#refuse(kind);
    }
    this.#hooks.confirm(part);
  }

  #refuse(kind: InvalidationKind): void {
    const now = performance.now();
    const known = this.#refusals.get(kind);
    // Several parts may be refused at once.
    if (known && known.until > now) return;
    const delay = known ? Math.min(known.delay * 2, BACK_OFF.most) : BACK_OFF.first;
    this.#refusals.set(kind, { delay, until: now + delay });
  }

  /** What can be sent as one command. */
  #parts(invalidations: readonly Invalidation[]): [Invalidation, ...Invalidation[]][] {
    const parts: [Invalidation, ...Invalidation[]][] = [];
    const open = new Map<string, Invalidation[]>();
    for (const invalidation of invalidations) {
      const group = `${invalidation.kind}:${this.#hooks.slotOf(invalidation.key)}`;
      const part = open.get(group);
      if (part && part.length < this.#limit) part.push(invalidation);
      else {
        const begun: [Invalidation, ...Invalidation[]] = [invalidation];
        parts.push(begun);
        open.set(group, begun);
      }
    }
    return parts;
  }
}
