import type { LockLostError } from '../lock-errors.js';
import type { HeldLease, ReleaseOutcome } from './held-lease.js';
import type { Hold } from './hold.js';

/** What a lease stands on. */
export type Held = Pick<
  HeldLease,
  | 'holds'
  | 'resource'
  | 'resources'
  | 'fence'
  | 'signal'
  | 'lost'
  | 'remaining'
  | 'share'
  | 'extend'
  | 'release'
>;

/** What a lease stands on that was asked for by who held a part of it already: it is lost with each of its parts. */
export class JoinedLease implements Held {
  readonly #parts: readonly Held[];
  #signal: AbortSignal | undefined;

  constructor(parts: readonly Held[]) {
    this.#parts = parts;
  }

  get holds(): readonly [Hold, ...Hold[]] {
    return this.#parts.flatMap(({ holds }) => holds) as [Hold, ...Hold[]];
  }

  get resource(): string {
    return this.resources.join(', ');
  }

  get resources(): string[] {
    return this.#parts.flatMap(({ resources }) => resources);
  }

  get fence(): number {
    return Math.max(...this.#parts.map(({ fence }) => fence));
  }

  get lost(): LockLostError | undefined {
    return this.#parts.find(({ lost }) => lost)?.lost;
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any(this.#parts.map(({ signal }) => signal));
    return this.#signal;
  }

  get remaining(): number {
    return Math.min(...this.#parts.map(({ remaining }) => remaining));
  }

  share(): void {
    for (const part of this.#parts) part.share();
  }

  async extend(ttl: number | undefined): Promise<number> {
    await Promise.all(this.#parts.map((part) => part.extend(ttl)));
    return this.remaining;
  }

  async release(): Promise<ReleaseOutcome> {
    const outcomes = await Promise.all(this.#parts.map((part) => part.release()));
    return outcomes.find((outcome) => outcome !== 'released') ?? 'released';
  }
}

/** One of them by itself, or several joined. */
export function join(parts: readonly Held[]): Held {
  const [first, ...others] = new Set(parts);
  return first && others.length === 0 ? first : new JoinedLease([...new Set(parts)]);
}
