import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Access, ServerOptions } from './access.js';
import { loopback } from './free-port.js';
import type { ServerSpecification } from './redis-server.js';
import { dataDirectives, replicationDirectives, userDirectives, type Directive } from './server-config.js';

/** What `startSentinel` takes; `password`, `acl` and `config` are of the servers that hold data. */
export interface SentinelGroupOptions extends ServerOptions {
  /** @default 2 */
  replicas?: number;
  /** A failover needs the votes of more than half of them. @default 3 */
  sentinels?: number;
  /** @default 'main' */
  masterName?: string;
  /**
   * Milliseconds of silence after which the first Sentinel takes a server for down; each further one takes 500 more. Less makes
   * failovers quicker, and on a busy machine begins some that nobody wanted. @default 500
   */
  downAfter?: number;
  /** Password or users of the Sentinels themselves. `.options` carries the first with a password. @default none */
  sentinelAuth?: Pick<ServerOptions, 'password' | 'acl'>;
}

// Sentinels that notice at the same moment that the master is down all stand for election and vote for themselves, and the
// failover is put off by seconds. So each has more patience than the one before it by these milliseconds, and one that has
// noticed need not wait for another to agree, only for the votes.
const patience = 500;
const quorum = 1;

/** Everything that a group is made of. */
export interface SentinelPlan {
  access: Access;
  options: SentinelGroupOptions;
  masterName: string;
  /** The first of the data ports is the master's. */
  ports: { data: number[]; sentinels: number[] };
}

export function dataServers(plan: SentinelPlan): {
  master: ServerSpecification;
  replicas: ServerSpecification[];
} {
  const { access, options, ports } = plan;
  const { config = {} } = options;
  const [master = 0, ...replicas] = ports.data;
  const common = [...dataDirectives(access, options), ...replicationDirectives];
  const specification = { access, config, directives: common };
  return {
    master: { ...specification, port: master },
    replicas: replicas.map((port) => {
      return { ...specification, port, directives: [...common, ['replicaof', loopback, master]] };
    }),
  };
}

/** Sentinels that know the replicas and each other from the start, instead of learning it in a second or two. */
export function sentinelServers({ access, options, masterName, ports }: SentinelPlan): ServerSpecification[] {
  const [master = 0, ...replicas] = ports.data;
  const sentinels = ports.sentinels.map((port) => ({ port, id: randomBytes(20).toString('hex') }));
  const common: Directive[] = [
    ...userDirectives(options.sentinelAuth ?? {}),
    ['sentinel', 'sentinel-user', access.admin.username],
    ['sentinel', 'sentinel-pass', access.admin.password],
    ['sentinel', 'monitor', masterName, loopback, master, quorum],
    ['sentinel', 'auth-user', masterName, access.admin.username],
    ['sentinel', 'auth-pass', masterName, access.admin.password],
    // A failover that went wrong is tried again after twice this time.
    ['sentinel', 'failover-timeout', masterName, 3_000],
    ['sentinel', 'parallel-syncs', masterName, Math.max(1, replicas.length)],
    ...replicas.map((port): Directive => ['sentinel', 'known-replica', masterName, loopback, port]),
  ];
  return sentinels.map(({ port, id }, index): ServerSpecification => {
    const peers = sentinels.filter((peer) => peer.port !== port);
    const directives: Directive[] = [
      ['sentinel', 'myid', id],
      ...common,
      ['sentinel', 'down-after-milliseconds', masterName, (options.downAfter ?? 500) + index * patience],
      ...peers.map((peer): Directive => {
        return ['sentinel', 'known-sentinel', masterName, loopback, peer.port, peer.id];
      }),
    ];
    return { port, access, directives, sentinel: true, prepare: hurry };
  });
}

/**
 * Shortens the periods, in milliseconds, at which a Sentinel looks around; it forgets them when it ends. A replica that has no
 * master is asked for its state once a second, whatever is set here, and the others must not be too short for that:
 * - A replica is fit to be master if its state is not older than five PING periods, or three INFO periods if the master is well.
 * - Sentinels that have not heard of a failover undo it after four PUBLISH periods, if the old master is well.
 */
async function hurry(client: Redis): Promise<void> {
  const periods = { 'ASK-PERIOD': 100, 'PING-PERIOD': 300, 'INFO-PERIOD': 400, 'PUBLISH-PERIOD': 500 };
  // A Sentinel that was paused would otherwise do nothing for 30 s after it is resumed.
  const timeouts = { 'ELECTION-TIMEOUT': 500, 'TILT-PERIOD': 1_000 };
  try {
    await client.call('SENTINEL', 'DEBUG', ...Object.entries({ ...periods, ...timeouts }).flat());
  } catch (error) {
    // Redis before 7.0 has no such command: it only takes longer.
    if (!(error instanceof Error && /unknown/i.test(error.message))) throw error;
  }
}
