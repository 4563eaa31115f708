import type { Cluster, Redis } from 'ioredis';
import { RedisError, type RedisConnection, type RedisErrorCode } from '../../redis/index.js';
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
  #wasReady: boolean;

  /** @param keepFor milliseconds for which what a server has answered is used again */
  constructor(connection: RedisConnection, keepFor: number) {
    this.connection = connection;
    this.#keepFor = keepFor;
    this.#wasReady = connection.state === 'ready';
    if (!this.#wasReady && !isClosed(connection))
      connection.client.once('ready', () => (this.#wasReady = true));
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

  /** Never rejects. */
  async check(options: ResolvedConnectionHealthOptions): Promise<Health> {
    const away = this.away;
    if (away) return { status: 'down', code: away };
    const { topology } = this.connection;
    const { clients, missing } = this.#clients();
    const nodes = await Promise.all(clients.map((client) => this.#probe(client).read(options.timeout)));
    return judge({ topology, nodes, missing }, options);
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

/** Those that are there, where one is not. */
function mastersOf(connection: RedisConnection): Nodes {
  try {
    return { clients: connection.masters(), missing: undefined };
  } catch (error) {
    const missing = error instanceof RedisError ? error.code : 'REDIS_UNAVAILABLE';
    return { clients: (connection.client as Cluster).nodes('master'), missing };
  }
}

function isClosed({ state }: RedisConnection): boolean {
  return state === 'closing' || state === 'closed';
}
