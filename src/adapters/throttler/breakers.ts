import { hashSlot, type RedisConnection } from '../../redis/index.js';
import { SLOT_COUNT } from '../../redis/shared.js';
import { TimeLimit } from '../../timing/time-limit.js';
import { Breaker } from './breaker.js';

export interface BreakersParts {
  readonly connection: RedisConnection;
  /** How long a hit waits for its reply, in milliseconds. */
  readonly budget: number;
  /** The first of them has opened: this master, '' where there is one only, is done without. */
  readonly opened: (node: string, reason: string) => void;
  /** The last of them has closed, so many milliseconds after the first had opened. */
  readonly closed: (milliseconds: number) => void;
}

/** A breaker for each master: on a Cluster, limits hold on where one is away. */
export class Breakers {
  readonly #parts: BreakersParts;
  readonly #limit: TimeLimit;
  readonly #single: Breaker | undefined;
  readonly #byNode = new Map<string, Breaker>();
  #openCount = 0;
  #openedAt = 0;

  constructor(parts: BreakersParts) {
    this.#parts = parts;
    this.#limit = new TimeLimit(parts.budget);
    this.#single = parts.connection.topology === 'cluster' ? undefined : this.#create('');
  }

  of(key: string): Breaker {
    if (this.#single) return this.#single;
    const node = this.#parts.connection.masterOf(hashSlot(key)) ?? '';
    return this.#byNode.get(node) ?? this.#meet(node);
  }

  /** One that was no master before may be there in the place of one that is no more. */
  #meet(node: string): Breaker {
    const masters = this.#masters();
    for (const [other, breaker] of this.#byNode) {
      if (masters.has(other)) continue;
      breaker.close();
      this.#byNode.delete(other);
    }
    const breaker = this.#create(node);
    this.#byNode.set(node, breaker);
    return breaker;
  }

  #masters(): Set<string | undefined> {
    const masters = new Set<string | undefined>();
    for (let slot = 0; slot < SLOT_COUNT; slot++) masters.add(this.#parts.connection.masterOf(slot));
    return masters;
  }

  #create(node: string): Breaker {
    const { connection } = this.#parts;
    return new Breaker({
      limit: this.#limit,
      // Before it was ever ready, commands open it and wait for it.
      isConnected: () => {
        const { state } = connection;
        return state === 'ready' || state === 'connecting' || state === 'idle';
      },
      opened: (reason) => this.#opened(node, reason),
      closed: () => this.#closed(),
    });
  }

  #opened(node: string, reason: string): void {
    if (this.#openCount++ > 0) return;
    this.#openedAt = performance.now();
    this.#parts.opened(node, reason);
  }

  #closed(): void {
    if (--this.#openCount === 0) this.#parts.closed(performance.now() - this.#openedAt);
  }
}
