import type { Cluster, Redis } from 'ioredis';
import { createListener } from '../driver/create-client.js';
import type { CredentialsSource } from '../driver/credentials-source.js';
import { installCredentials } from '../driver/install-credentials.js';
import { clusterInternals, refreshSlots } from '../driver/internals.js';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { slotOwners } from '../driver/announce-redirections.js';
import { RedisUnavailableError } from '../errors/errors.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { type MasterHandlers, MasterListeners, type MasterWatch } from './master-watch.js';
import { nodeName, splitNode } from './node-address.js';

/** The masters behind a connection: one, or those of a Cluster. */
export class Masters {
  readonly #options: ResolvedRedisOptions;
  readonly #credentials: CredentialsSource | undefined;
  readonly #shared: () => RedisClient;
  readonly #watches = new Set<MasterListeners>();

  /** @param shared gives the shared client */
  constructor(
    options: ResolvedRedisOptions,
    credentials: CredentialsSource | undefined,
    shared: () => RedisClient,
  ) {
    this.#options = options;
    this.#credentials = credentials;
    this.#shared = shared;
  }

  /** The shared client's connection to each master. @throws RedisUnavailableError when one of a Cluster is not known or not connected */
  clients(): Redis[] {
    const shared = this.#shared();
    return isCluster(shared) ? clientsOf(shared) : [shared];
  }

  /** The master of a slot: `host:port` on a Cluster, '' elsewhere; `undefined` where none is known. */
  of(slot: number): string | undefined {
    if (this.#options.target.kind !== 'cluster') return '';
    return clusterInternals(this.#shared() as Cluster).slots[slot]?.[0];
  }

  watch(handlers: MasterHandlers): MasterWatch {
    const watch = new MasterListeners(this.#shared(), (node) => this.#listener(node), handlers);
    this.#watches.add(watch);
    const stop = async () => {
      this.#watches.delete(watch);
      await watch.stop();
    };
    return { refresh: () => watch.refresh(), stop };
  }

  async close(deadline: number): Promise<void> {
    await Promise.all(Array.from(this.#watches, (watch) => watch.stop(deadline)));
    this.#watches.clear();
  }

  #listener(node: string): Redis {
    const client = createListener(this.#options, node === '' ? undefined : splitNode(node));
    return this.#credentials ? installCredentials(client, this.#credentials) : client;
  }
}

function clientsOf(cluster: Cluster): Redis[] {
  const connected = new Map(cluster.nodes('master').map((client) => [nodeName(client.options), client]));
  const owners = new Set(slotOwners(cluster).filter((node) => node !== undefined));
  const missing = [...owners].find((node) => !connected.has(node));
  if (cluster.status === 'ready' && owners.size > 0 && missing === undefined)
    return Array.from(owners, (node) => connected.get(node)!);
  // A node whose connection was lost is connected to again when the slots are read.
  if (cluster.status === 'ready') void refreshSlots(cluster);
  throw new RedisUnavailableError(
    missing === undefined
      ? 'The masters of the Cluster are not known'
      : `The master ${missing} is not connected`,
  );
}
