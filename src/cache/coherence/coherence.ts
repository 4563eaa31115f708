import type { Shard } from './shard.js';

export type CoherenceMode = 'tracking' | 'pubsub' | 'none';

/** What a {@link Coherence} tells of. All are called synchronously, and must not throw. */
export interface CoherenceEvents {
  /** These keys of Redis may have changed, whoever did it. They begin with the prefix. */
  changed(keys: readonly string[]): void;
  /** Anything of the shard may have changed. Its epoch is another already. */
  lost(shard: Shard, reason: 'listener lost' | 'listener armed' | 'flushed' | 'slots moved'): void;
  /** The server's time, in milliseconds since the epoch, and when (`performance.now()`) the question was sent and answered. */
  time(serverMilliseconds: number, sentAt: number, receivedAt: number): void;
}

/** Learns which keys have changed in Redis, so that what is kept locally can be let go. */
export interface Coherence {
  readonly mode: CoherenceMode;
  /** Whether changes are told of, from every master. */
  readonly armed: boolean;
  /** The shard that a hash slot belongs to; the only one where there is no Cluster. */
  shardOf(slot: number): Shard;
  /** Resolves when it listens, or when that cannot be done now and is tried further in the background. */
  start(): Promise<void>;
  /** Ends listening; nothing is left that keeps the process alive. */
  stop(): Promise<void>;
  /** Tells other processes of keys that this one has changed. Does nothing where the server itself tells. */
  announce(keys: readonly string[]): void;
}
