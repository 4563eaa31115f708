import type { RedisConnection, RedisError } from '../../redis/index.js';
import { Lane, type LaneOptions } from './lane.js';

const HASH_SLOTS = 16_384;

export interface LaneEvents {
  /** The cache does without Redis, or without one master of a Cluster, from now on. */
  blocked(node: string, reason: string): void;
  /** It uses it again, after so many milliseconds. */
  cleared(node: string, milliseconds: number): void;
  refused(error: RedisError): void;
}

/** A lane for each master. */
export class Lanes {
  readonly #connection: RedisConnection;
  readonly #options: LaneOptions;
  readonly #events: LaneEvents;
  readonly #recover: (node: string) => Promise<void>;
  readonly #lanes = new Map<string, Lane>();
  #isClosed = false;
  readonly #onClose = () => this.#block();

  /** @param recover brings a master up to date before it is used again. @throws when it cannot be reached */
  constructor(
    connection: RedisConnection,
    options: LaneOptions,
    events: LaneEvents,
    recover: (node: string) => Promise<void>,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#events = events;
    this.#recover = recover;
    connection.client.on('close', this.#onClose);
  }

  get areBlocked(): boolean {
    for (const lane of this.#lanes.values()) if (lane.isBlocked) return true;
    return false;
  }

  of(slot: number): Lane {
    const node = this.#connection.masterOf(slot) ?? '';
    return this.#lanes.get(node) ?? this.#open(node);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection.client.off('close', this.#onClose);
    for (const lane of this.#lanes.values()) lane.close();
  }

  #open(node: string): Lane {
    const lane = new Lane(this.#options, {
      isConnected: () => this.#connection.client.status === 'ready',
      recover: () => this.#recover(node),
      blocked: (reason) => this.#events.blocked(node, reason),
      cleared: (milliseconds) => {
        if (!isMaster(this.#connection, node)) this.#lanes.delete(node);
        this.#events.cleared(node, milliseconds);
      },
      refused: (error) => this.#events.refused(error),
    });
    if (this.#isClosed) lane.close();
    this.#lanes.set(node, lane);
    return lane;
  }

  /** The connection was lost: what comes back may be another server, which has to be brought up to date first. */
  #block(): void {
    for (const lane of this.#lanes.values()) lane.block('the connection was lost');
  }
}

/** Whether a node of a Cluster (still) owns slots. Where there is no Cluster, the master is always called ''. */
export function isMaster(connection: RedisConnection, node: string): boolean {
  if (connection.topology !== 'cluster') return true;
  for (let slot = 0; slot < HASH_SLOTS; slot++) if (connection.masterOf(slot) === node) return true;
  return false;
}
