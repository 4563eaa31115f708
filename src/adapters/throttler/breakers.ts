import { hashSlot, type RedisConnection } from '../../redis/index.js';
import { SLOT_COUNT } from '../../redis/shared.js';
import { TimeLimit } from '../../timing/time-limit.js';
import { Breaker } from './breaker.js';
import { Outages, type OutagesParts } from './outages.js';

export interface BreakersParts extends OutagesParts {
  readonly connection: RedisConnection;
  /** How long a hit waits for its reply, in milliseconds. */
  readonly budget: number;
}

/** A breaker for each master: on a Cluster, limits hold on where one is away. */
export class Breakers {
  readonly #connection: RedisConnection;
  readonly #outages: Outages;
  readonly #limit: TimeLimit;
  readonly #single: Breaker | undefined;
  readonly #byNode = new Map<string, Breaker>();

  constructor({ connection, budget, ...parts }: BreakersParts) {
    this.#connection = connection;
    this.#outages = new Outages(parts);
    this.#limit = new TimeLimit(budget);
    this.#single = connection.topology === 'cluster' ? undefined : this.#create('');
  }

  of(key: string): Breaker {
    if (this.#single) return this.#single;
    const node = this.#connection.masterOf(hashSlot(key)) ?? '';
    return this.#byNode.get(node) ?? this.#meet(node);
  }

  /** One that was no master before may be there in the place of one that is no more. */
  #meet(node: string): Breaker {
    const masters = this.#masters();
    for (const [other, breaker] of this.#byNode) {
      if (masters.has(other)) continue;
      breaker.retire();
      this.#byNode.delete(other);
    }
    const breaker = this.#create(node);
    this.#byNode.set(node, breaker);
    return breaker;
  }

  #masters(): Set<string | undefined> {
    const masters = new Set<string | undefined>();
    for (let slot = 0; slot < SLOT_COUNT; slot++) masters.add(this.#connection.masterOf(slot));
    return masters;
  }

  #create(node: string): Breaker {
    return new Breaker({
      limit: this.#limit,
      // Before it was ever ready, commands open it and wait for it.
      isConnected: () => {
        const { state } = this.#connection;
        return state === 'ready' || state === 'connecting' || state === 'idle';
      },
      opened: (reason) => this.#outages.begin(node, reason),
      closed: () => this.#outages.end(),
    });
  }
}
