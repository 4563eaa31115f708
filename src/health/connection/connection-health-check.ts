import type { Redis } from 'ioredis';
import { knownNodes } from '../../inquiry/known-nodes.js';
import { RedisError, type RedisConnection, type RedisErrorCode } from '../../redis/index.js';
import { settlesBefore } from '../../timing/settles-before.js';
import type { Health } from '../health.js';
import type { ResolvedConnectionHealthOptions } from '../options/resolved-health-options.js';
import { judge } from './judge.js';
import { NodeProbe } from './node-probe.js';

interface Nodes {
  readonly clients: readonly Redis[];
  /** Why some master cannot be asked. */
  readonly missing: RedisErrorCode | undefined;
}

/** Checks a connection: on its own client, on a Cluster that of each master. Nothing is sent while it is not ready. */
export class ConnectionHealthCheck {
  readonly connection: RedisConnection;
  readonly #keepFor: number;
  readonly #probes = new WeakMap<Redis, NodeProbe>();
  #nodes: (Nodes & { readonly until: number }) | undefined;
  #opening: Promise<void> | undefined;
  #wasReady = false;

  /** @param keepFor milliseconds for which what a server has answered is used again */
  constructor(connection: RedisConnection, keepFor: number) {
    this.connection = connection;
    this.#keepFor = keepFor;
    if (connection.state !== 'idle') this.#look();
  }

  /** Whether the connection has been ready, ever since it is looked at. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  /** Why the connection is not ready; undefined where it is. */
  get away(): RedisErrorCode | undefined {
    if (this.connection.state === 'ready') return undefined;
    return isClosed(this.connection) ? 'REDIS_CLOSED' : (this.connection.error?.code ?? 'REDIS_UNAVAILABLE');
  }

  /** Never rejects. A connection that nobody has used yet is opened for it, within the same time. */
  async check(options: ResolvedConnectionHealthOptions): Promise<Health> {
    const deadline = performance.now() + options.timeout;
    if (this.connection.state === 'idle') this.#opening ??= this.#open(options.timeout);
    if (this.#opening) await settlesBefore(this.#opening, deadline, 'free');
    const away = this.away;
    if (away) return { status: 'down', code: away };
    const { topology } = this.connection;
    const { clients, missing } = this.#clients();
    const left = Math.max(0, deadline - performance.now());
    const nodes = await Promise.all(clients.map((client) => this.#probe(client).read(left)));
    return judge({ topology, nodes, missing }, options);
  }

  /** For all who ask meanwhile. */
  async #open(timeout: number): Promise<void> {
    const opened = this.connection.whenReady(timeout);
    this.#look();
    await opened.catch(() => undefined); // the state tells
    this.#opening = undefined;
  }

  #look(): void {
    this.#wasReady = this.connection.state === 'ready';
    if (!this.#wasReady && !isClosed(this.connection))
      this.connection.client.once('ready', () => (this.#wasReady = true));
  }

  #clients(): Nodes {
    const now = performance.now();
    if (!this.#nodes || now >= this.#nodes.until)
      this.#nodes = { ...mastersOf(this.connection), until: now + this.#keepFor };
    return this.#nodes;
  }

  #probe(client: Redis): NodeProbe {
    const known = this.#probes.get(client);
    if (known) return known;
    const kind = this.connection.topology === 'cluster' ? 'cluster node' : 'node';
    const probe = new NodeProbe(client, kind, this.#keepFor);
    this.#probes.set(client, probe);
    return probe;
  }
}

function mastersOf(connection: RedisConnection): Nodes {
  try {
    const nodes = knownNodes(connection);
    const clients = nodes.flatMap(({ client }) => client ?? []);
    return { clients, missing: clients.length < nodes.length ? 'REDIS_UNAVAILABLE' : undefined };
  } catch (error) {
    return { clients: [], missing: error instanceof RedisError ? error.code : 'REDIS_UNAVAILABLE' };
  }
}

function isClosed({ state }: RedisConnection): boolean {
  return state === 'closing' || state === 'closed';
}
