import type { Cluster, Redis } from 'ioredis';
import type { RedisConnection, RedisError } from '../../redis/index.js';
import { isRefusal, SLOT_COUNT, socketProgress } from '../../redis/shared.js';
import { Lane, type LaneOptions } from './lane.js';

export interface LaneEvents {
  /** The cache does without Redis, or without one master of a Cluster, from now on. */
  blocked(node: string, reason: string): void;
  /** It uses it again, after so many milliseconds. */
  cleared(node: string, milliseconds: number): void;
  refused(error: RedisError): void;
}

interface Recovery {
  /**
   * Brings a master up to date before it is used (again).
   *
   * @param blockedAt since when (`performance.now()`) nothing was sent to it
   * @throws when it cannot be reached
   */
  recover(node: string, blockedAt: number): Promise<void>;
  /** A master was lost, or is another: it may have lost, or not have heard of, what was confirmed last. */
  lost(node: string): void;
  /** Whether there is anything that a master which takes over may not have heard of. */
  isNeeded(): boolean;
}

/** A lane for each master. */
export class Lanes {
  readonly #connection: RedisConnection;
  readonly #options: LaneOptions;
  readonly #events: LaneEvents;
  readonly #recovery: Recovery;
  readonly #lanes = new Map<string, Lane>();
  #isClosed = false;
  readonly #onClose = () => this.#block();
  readonly #onNode = (client: Redis) => this.#watch(client);

  constructor(connection: RedisConnection, options: LaneOptions, events: LaneEvents, recovery: Recovery) {
    this.#connection = connection;
    this.#options = options;
    this.#events = events;
    this.#recovery = recovery;
    const { client } = connection;
    client.on('close', this.#onClose);
    if (!client.isCluster) return;
    client.on('+node', this.#onNode);
    for (const node of (client as Cluster).nodes()) this.#watch(node);
  }

  get areBlocked(): boolean {
    for (const lane of this.#lanes.values()) if (lane.isBlocked) return true;
    return false;
  }

  of(slot: number): Lane {
    const node = this.#connection.masterOf(slot) ?? '';
    return this.#lanes.get(node) ?? this.#meet(node);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection.client.off('close', this.#onClose).off('+node', this.#onNode);
    for (const lane of this.#lanes.values()) lane.close();
  }

  /** One that was no master before may lag behind the one in whose place it is. */
  #meet(node: string): Lane {
    const masters = mastersOf(this.#connection);
    const isFirst = this.#lanes.size === 0;
    if (isFirst) for (const master of masters) this.#open(master);
    for (const [other, lane] of this.#lanes)
      if (!lane.isBlocked && !masters.has(other)) this.#lanes.delete(other);
    const lane = this.#lanes.get(node) ?? this.#open(node);
    if (!isFirst && this.#recovery.isNeeded()) {
      this.#recovery.lost(node);
      lane.catchUp();
    }
    return lane;
  }

  #open(node: string): Lane {
    const lane = new Lane(this.#options, {
      isConnected: () => this.#connection.client.status === 'ready',
      progress: () => socketProgress(masterClient(this.#connection, node)),
      recover: (blockedAt) => this.#recovery.recover(node, blockedAt),
      blocked: (reason) => this.#events.blocked(node, reason),
      cleared: (milliseconds) => {
        if (!mastersOf(this.#connection).has(node)) this.#lanes.delete(node);
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
    for (const [node, lane] of this.#lanes) {
      this.#recovery.lost(node);
      lane.block('the connection was lost');
    }
  }

  /** A Cluster itself tells of a connection that was lost only when it was the last one. */
  #watch(client: Redis): void {
    client.on('close', () => {
      if (!this.#isClosed) this.#recovery.lost(addressOf(client));
    });
  }
}

/** The nodes of a Cluster that own slots. Where there is no Cluster, the master is always called ''. */
export function mastersOf(connection: RedisConnection): Set<string> {
  if (connection.topology !== 'cluster') return new Set(['']);
  const masters = new Set<string>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const node = connection.masterOf(slot);
    if (node !== undefined) masters.add(node);
  }
  return masters;
}

/** The client's own connection to a master. */
function masterClient({ client }: RedisConnection, node: string): Redis | undefined {
  if (!client.isCluster) return client as Redis;
  return (client as Cluster).nodes('master').find((each) => addressOf(each) === node);
}

/** An answer is what shows that the master is back; where it cannot save, that is a refusal. */
export async function pingMaster(connection: RedisConnection, node: string): Promise<void> {
  const master = masterClient(connection, node);
  if (!master) throw new Error(`There is no connection to ${node}`);
  await master.ping().catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
  });
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
