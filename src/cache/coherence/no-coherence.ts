import type { Coherence } from './coherence.js';
import { Shard } from './shard.js';

/** Learns of no changes: what is kept locally is believed for as long as its age allows, no longer. */
export class NoCoherence implements Coherence {
  readonly mode = 'none';
  readonly armed = false;
  readonly #shard = new Shard('');

  constructor() {
    // Nothing is ever missed, since nothing is told: entries are believed, for as long as `local.maxAge` allows.
    this.#shard.armed = true;
  }

  shardOf(): Shard {
    return this.#shard;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  announce(): void {}
}
