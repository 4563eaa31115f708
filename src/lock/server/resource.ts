import { LRUCache } from 'lru-cache';
import type { Namespace } from '../../redis/index.js';

/** As many readers as there can be: a writer weighs as much as all of them. */
const READERS = 1_000_000_000;

/** The keys of a resource, in one slot: who holds it, who waits in which order, and until when those who wait are taken to live. */
export type ResourceKeys = readonly [state: string, queue: string, waiters: string];

/** What is locked, and how much of it a holder takes: see `scripts/grant.lua`. */
export interface Resource {
  readonly name: string;
  readonly keys: ResourceKeys;
  readonly weight: number;
  readonly capacity: number;
  /** 'weight capacity', as the scripts have it. */
  readonly share: string;
  /** The smaller of two capacities holds: replicas of two releases may differ in the number of permits. */
  readonly limited: boolean;
}

function resource(name: string, keys: ResourceKeys, weight: number, capacity: number): Resource {
  return { name, keys, weight, capacity, share: `${weight} ${capacity}`, limited: false };
}

/** Makes the resources of a namespace. */
export class Resources {
  readonly #namespace: Namespace;
  /** Of the locks that were asked for last: building the names of the keys takes longer than all else that is done here for a lock. */
  readonly #locks = new LRUCache<string, Resource>({ max: 1_000 });

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  lock(name: string): Resource {
    const known = this.#locks.get(name);
    if (known) return known;
    const made = resource(name, this.#keys(name), 1, 1);
    this.#locks.set(name, made);
    return made;
  }

  semaphore(name: string, permits: number): Resource {
    return { ...resource(name, this.#keys(name, ':permits'), 1, permits), limited: true };
  }

  readers(name: string): Resource {
    return resource(name, this.#keys(name, ':shared'), 1, READERS);
  }

  writer(name: string): Resource {
    return resource(name, this.#keys(name, ':shared'), READERS, READERS);
  }

  #keys(name: string, kind = ''): ResourceKeys {
    return keysOf(this.#namespace.key`{${name}}` + kind);
  }
}

/** The keys of a resource whose first is this. */
export function keysOf(state: string): ResourceKeys {
  return [state, `${state}:queue`, `${state}:waiters`];
}
