import calculateSlot from 'cluster-key-slot';
import { Cluster } from 'ioredis';
import type { ClusterAddress, RedisCommonOptions } from '../redis/options/redis-options.js';
import { adminOptions, credentialOptions, prepareAccess } from './access.js';
import { clusterServers, type RedisClusterOptions, type ClusterPlan } from './cluster-config.js';
import { isSettled, slotOwners, viewCluster, type ClusterView } from './cluster-view.js';
import { findFreePorts, loopback, type ServerAddress } from './free-port.js';
import { retryTakenPorts, type RedisServer } from './redis-server.js';
import { isInStep, launchAll, ServerGroup, stopAll } from './server-group.js';
import { SlotMigration } from './slot-migration.js';
import { until } from './until.js';

const settleTimeout = 15_000;

/** A Redis Cluster. */
export class RedisCluster extends ServerGroup {
  /** To hand to `RedisModule.forRoot`. */
  readonly options: ClusterAddress & RedisCommonOptions & { cluster: { nodes: ServerAddress[] } };
  /** All servers. Those that were masters at the start come first, in the order of their slots. */
  readonly nodes: readonly RedisServer[];
  readonly #plan: ClusterPlan;
  readonly #admin: Cluster;

  /** Use `startCluster`. */
  constructor(plan: ClusterPlan, nodes: RedisServer[]) {
    super(nodes);
    this.#plan = plan;
    this.nodes = nodes;
    const addresses = nodes.map(({ port }) => ({ host: loopback, port }));
    this.options = { cluster: { nodes: addresses }, ...credentialOptions(plan.access) };
    this.#admin = new Cluster(addresses, { redisOptions: adminOptions(plan.access), lazyConnect: true });
    this.#admin.on('error', () => {});
  }

  /** The servers that own slots now, of those that run, in the order of `nodes`. */
  async masters(): Promise<RedisServer[]> {
    const owners = new Set(slotOwners(await viewCluster(this.nodes)).map((view) => view?.server));
    return this.nodes.filter((node) => owners.has(node));
  }

  /** The slot of a key, by its hash tag if it has one. */
  slotOfKey(key: string | Buffer): number {
    return calculateSlot(key);
  }

  /**
   * The master that has the slot of the key now.
   *
   * @throws Error when no server that runs owns it
   */
  async nodeOfKey(key: string | Buffer): Promise<RedisServer> {
    const slot = this.slotOfKey(key);
    const owner = slotOwners(await viewCluster(this.nodes))[slot];
    if (!owner) throw new Error(`No node that runs owns slot ${slot}`);
    return owner.server;
  }

  /**
   * Waits until every slot is owned by a server that runs, and all that run agree on it: at once in a Cluster that is well,
   * after some 2 to 3 s when a master with a replica was killed or paused.
   *
   * @param options.timeout In milliseconds. @default 15000
   * @throws Error when that does not happen in time
   */
  async waitForFailover(options: { timeout?: number } = {}): Promise<void> {
    const { timeout = settleTimeout } = options;
    await until(async () => isSettled(await viewCluster(this.nodes)) || undefined, {
      timeout,
      what: 'A failover',
    });
  }

  /**
   * Begins to move a slot to another master, and stops half-way: from now on clients meet `ASK`.
   *
   * @throws Error when `to` is not a master, or owns the slot already
   *
   * @example
   * ```ts
   * const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey('city:1'), to });
   * await migration.moveKeys();   // ASK for city:1
   * await migration.finish();     // MOVED
   * ```
   */
  async beginSlotMigration(options: { slot: number; to: RedisServer }): Promise<SlotMigration> {
    const { slot, to } = options;
    const views = await viewCluster(this.nodes);
    const owners = slotOwners(views);
    const [source, target] = [owners[slot], owners.find((owner) => owner?.server === to)];
    if (!source) throw new Error(`No node that runs owns slot ${slot}`);
    if (!target) throw new Error('A slot can only be moved to a master that runs');
    if (source === target) throw new Error(`The node owns slot ${slot} already`);
    const others = new Set(owners.flatMap((owner) => owner?.server ?? []));
    for (const { server } of [source, target]) others.delete(server);
    return SlotMigration.begin({
      slot,
      source: { server: source.server, id: source.self.id },
      target: { server: target.server, id: target.self.id },
      others: [...others],
      credentials: this.#plan.access.admin,
      settle: () => this.waitForFailover(),
    });
  }

  /** Moves a slot with its keys to another master: clients meet `MOVED`. */
  async migrateSlot(options: { slot: number; to: RedisServer }): Promise<void> {
    const migration = await this.beginSlotMigration(options);
    await migration.finish();
  }

  /** A Cluster client with all permissions. It is the same one at each call, and is closed by `stop()`. */
  async admin(): Promise<Cluster> {
    if (this.#admin.status === 'wait') await this.#admin.connect();
    return this.#admin;
  }

  protected override closeAdmin(): void {
    if (this.#admin.status !== 'end') this.#admin.disconnect();
  }
}

/**
 * Starts a Cluster on free ports of this machine. It resolves when all slots are served, all nodes agree, and the replicas are
 * in step. It ends with the test process, however that ends.
 *
 * @throws ServerStartError with the last lines of the server that does not start
 *
 * @example
 * ```ts
 * await using cluster = await startCluster();
 * await (await cluster.nodeOfKey('city:1')).kill();
 * await cluster.waitForFailover();
 * ```
 */
export async function startCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const access = await prepareAccess(options);
  const { masters = 3, replicas = 1 } = options;
  const size = 1 + replicas;
  return retryTakenPorts(async () => {
    const ports = await findFreePorts({ count: masters * size, withBus: true });
    const shards = Array.from({ length: masters }, (_, shard) =>
      ports.slice(shard * size, (shard + 1) * size),
    );
    return start({ access, options, shards });
  });
}

async function start(plan: ClusterPlan): Promise<RedisCluster> {
  const launched = await launchAll(clusterServers(plan));
  try {
    const firsts = launched.filter(({ port }) => plan.shards.some(([first]) => first === port));
    if (launched.length > firsts.length) await takeOver(firsts);
    const what = 'Agreement of the Cluster';
    await until(async () => isFormed(plan, await viewCluster(launched)), { timeout: settleTimeout, what });
    const others = launched.filter((server) => !firsts.includes(server));
    return new RedisCluster(plan, [...firsts, ...others]);
  } catch (error) {
    await stopAll(launched);
    throw error;
  }
}

/**
 * Makes the replicas masters, without asking anybody. Each takes the epoch that follows the highest it has heard of, and two
 * masters of one epoch would claim slots from each other: hence one after another, when all have heard of the last.
 */
async function takeOver(replicas: RedisServer[]): Promise<void> {
  let epoch = 0;
  for (const replica of replicas) {
    const heardOf = async () =>
      (await viewCluster([replica])).some((view) => view.currentEpoch >= epoch) || undefined;
    await until(heardOf, { timeout: settleTimeout, what: 'Contact between the nodes' });
    await replica.observe((client) => client.call('CLUSTER', 'FAILOVER', 'TAKEOVER'));
    const [view] = await viewCluster([replica]);
    epoch = view?.currentEpoch ?? epoch;
  }
}

async function isFormed(plan: ClusterPlan, views: ClusterView[]): Promise<true | undefined> {
  const masters = new Set(slotOwners(views).map((owner) => owner?.server.port));
  const planned = plan.shards.every(([first]) => masters.has(first));
  if (!planned || masters.size !== plan.shards.length || !isSettled(views)) return undefined;
  for (const { server, nodes } of views) {
    if (nodes.some(({ flags }) => flags.some((flag) => /fail|handshake|noaddr/.test(flag)))) return undefined;
    if (masters.has(server.port)) continue;
    if (!(await isInStep(server))) return undefined;
  }
  return true;
}
