import { Redis } from 'ioredis';
import type { RedisCommonOptions, SentinelAddress } from '../redis/options/redis-options.js';
import { adminOptions, credentialOptions, prepareAccess, userOf } from './access.js';
import { findFreePorts, loopback, type ServerAddress } from './free-port.js';
import { RedisServer, retryTakenPorts } from './redis-server.js';
import {
  dataServers,
  sentinelServers,
  type SentinelGroupOptions,
  type SentinelPlan,
} from './sentinel-config.js';
import { isInStep, launchAll, ServerGroup, stopAll } from './server-group.js';
import { until } from './until.js';

const defaultTimeout = 15_000;

/** A master, its replicas, and the Sentinels that watch them. */
export class SentinelGroup extends ServerGroup {
  /** To hand to `RedisModule.forRoot`. */
  readonly options: SentinelAddress & RedisCommonOptions & { sentinel: { nodes: ServerAddress[] } };
  /** The servers that hold data. The first was master at the start. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  readonly masterName: string;
  readonly #admin: Redis;
  #lastMaster: RedisServer | undefined;

  /** Use `startSentinel`. */
  constructor(plan: SentinelPlan, servers: RedisServer[], sentinels: RedisServer[]) {
    super([...sentinels, ...servers]);
    this.servers = servers;
    this.sentinels = sentinels;
    this.masterName = plan.masterName;
    this.#lastMaster = servers[0];
    const nodes = plan.ports.sentinels.map((port) => ({ host: loopback, port }));
    this.options = {
      sentinel: { masterName: plan.masterName, nodes, ...userOf(plan.options.sentinelAuth ?? {}) },
      ...credentialOptions(plan.access),
    };
    this.#admin = sentinelClient(plan, nodes);
  }

  /** The server that most of the Sentinels that answer take for the master now. */
  async master(): Promise<RedisServer> {
    const votes = new Map<RedisServer, number>();
    for (const server of await this.#masterBySentinel()) votes.set(server, (votes.get(server) ?? 0) + 1);
    const [first] = [...votes].toSorted(([, a], [, b]) => b - a);
    if (!first) throw new Error('No Sentinel answers');
    return first[0];
  }

  /**
   * Waits until the Sentinels have made another server master than the one at the start, or after the last failover that was
   * waited for; all Sentinels that run name it, and it takes writes.
   *
   * @param options.timeout In milliseconds. @default 15000
   * @throws Error when that does not happen in time
   */
  async waitForFailover(options: { timeout?: number } = {}): Promise<RedisServer> {
    const { timeout = defaultTimeout } = options;
    const master = await until(() => this.#newMaster(), { timeout, what: 'A failover' });
    this.#lastMaster = master;
    return master;
  }

  /**
   * Has the Sentinels make a replica master although the master is well, when an earlier failover has come to its end. The old
   * master becomes a replica: who is still connected to it gets `READONLY`. Resolves to the new master.
   *
   * @param options.timeout In milliseconds. @default 15000
   * @throws Error when that does not happen in time
   */
  async failover(options: { timeout?: number } = {}): Promise<RedisServer> {
    const { timeout = defaultTimeout } = options;
    this.#lastMaster = await this.master();
    const attempt = async () => (await this.#newMaster()) ?? this.#beginFailover();
    const master = await until(attempt, { timeout, what: 'A failover' });
    this.#lastMaster = master;
    return master;
  }

  /** A client with all permissions that follows the master. It is the same one at each call, and is closed by `stop()`. */
  async admin(): Promise<Redis> {
    if (this.#admin.status === 'wait') await this.#admin.connect();
    return this.#admin;
  }

  protected override closeAdmin(): void {
    if (this.#admin.status !== 'end') this.#admin.disconnect();
  }

  /** Does nothing while one is under way. A Sentinel gives up its failover when it finds no replica fit: then another try. */
  async #beginFailover(): Promise<undefined> {
    const running = this.sentinels.filter(({ state }) => state === 'running');
    const states = running.map(async (sentinel) => fields(await ask(sentinel, 'MASTER', this.masterName)));
    const idle = (await Promise.all(states)).every(({ flags }) => flags === 'master');
    if (!idle || (await this.master()) !== this.#lastMaster) return;
    const replicas = this.servers.filter(
      (server) => server.state === 'running' && server !== this.#lastMaster,
    );
    const [sentinel] = running;
    if (sentinel && (await areInStep(replicas))) await ask(sentinel, 'FAILOVER', this.masterName);
  }

  async #newMaster(): Promise<RedisServer | undefined> {
    const named = new Set(await this.#masterBySentinel());
    const [master] = named;
    if (!master || named.size > 1 || master === this.#lastMaster || master.state !== 'running')
      return undefined;
    const [role] = await master.observe((client) => client.role());
    return role === 'master' ? master : undefined;
  }

  async #masterBySentinel(): Promise<RedisServer[]> {
    const running = this.sentinels.filter(({ state }) => state === 'running');
    const answers = running.map(async (sentinel) => {
      const [, port] = (await ask(sentinel, 'GET-MASTER-ADDR-BY-NAME', this.masterName)) as string[];
      return this.servers.filter((server) => server.port === Number(port));
    });
    return (await Promise.all(answers)).flat();
  }
}

/**
 * Starts a master with replicas, and Sentinels that watch them, on free ports of this machine. It resolves when the replicas
 * are in step and every Sentinel knows all others. They end with the test process, however that ends.
 *
 * @throws ServerStartError with the last lines of the server that does not start
 *
 * @example
 * ```ts
 * await using group = await startSentinel({ password: 'secret' });
 * await (await group.master()).kill();
 * const master = await group.waitForFailover();   // some 2 s
 * ```
 */
export async function startSentinel(options: SentinelGroupOptions = {}): Promise<SentinelGroup> {
  const access = await prepareAccess(options);
  const { replicas = 2, sentinels = 3, masterName = 'main' } = options;
  return retryTakenPorts(async () => {
    const ports = await findFreePorts({ count: 1 + replicas + sentinels });
    const split = { data: ports.slice(0, 1 + replicas), sentinels: ports.slice(1 + replicas) };
    return start({ access, options, masterName, ports: split });
  });
}

async function start(plan: SentinelPlan): Promise<SentinelGroup> {
  const started: RedisServer[] = [];
  try {
    // A replica that finds no master tries again a second later: the master comes first.
    const specifications = dataServers(plan);
    started.push(await RedisServer.launch(specifications.master));
    const replicas = await launchAll(specifications.replicas);
    started.push(...replicas);
    const servers = [...started];
    await until(() => areInStep(replicas), { timeout: defaultTimeout, what: 'Replication' });
    const sentinels = await launchAll(sentinelServers(plan));
    started.push(...sentinels);
    const what = 'Agreement of the Sentinels';
    await until(() => knowEachOther(plan, sentinels), { timeout: defaultTimeout, what });
    return new SentinelGroup(plan, servers, sentinels);
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

async function areInStep(replicas: RedisServer[]): Promise<true | undefined> {
  const inStep = await Promise.all(replicas.map(isInStep));
  return !inStep.includes(false) || undefined;
}

/** Whether a failover that begins now would find everybody it needs. */
async function knowEachOther(plan: SentinelPlan, sentinels: RedisServer[]): Promise<true | undefined> {
  for (const sentinel of sentinels) {
    const master = fields(await ask(sentinel, 'MASTER', plan.masterName));
    const replicas = (await ask(sentinel, 'REPLICAS', plan.masterName)) as unknown[];
    const peers = (await ask(sentinel, 'SENTINELS', plan.masterName)) as unknown[];
    const states = [...replicas, ...peers].map(fields);
    const allWell = [master, ...states].every(({ flags }) => flags && !/down|disconnected/.test(flags));
    const inStep = states.every((state) => (state['master-link-status'] ?? 'ok') === 'ok');
    if (replicas.length !== plan.ports.data.length - 1 || peers.length !== sentinels.length - 1)
      return undefined;
    if (!allWell || !inStep) return undefined;
  }
  return true;
}

function ask(sentinel: RedisServer, question: string, masterName: string): Promise<unknown> {
  return sentinel.observe((client) => client.call('SENTINEL', question, masterName));
}

/** A reply of names and values in turn. */
function fields(reply: unknown): Record<string, string> {
  const list = Array.isArray(reply) ? reply.map(String) : [];
  const pairs = list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}

function sentinelClient(plan: SentinelPlan, sentinels: ServerAddress[]): Redis {
  const { username, password } = plan.access.admin;
  const options = adminOptions(plan.access);
  const client = new Redis({
    ...options,
    ...(options.tls ? { enableTLSForSentinelMode: true, sentinelTLS: options.tls } : {}),
    sentinels,
    name: plan.masterName,
    sentinelUsername: username,
    sentinelPassword: password,
    lazyConnect: true,
  });
  client.on('error', () => {});
  return client;
}
