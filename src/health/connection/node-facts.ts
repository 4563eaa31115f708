import { Info } from '../../redis/shared.js';

/** What a check looks at in the reply of `INFO`. */
export interface NodeFacts {
  readonly isLoading: boolean;
  readonly role: 'master' | 'replica' | undefined;
  readonly memory: MemoryFacts;
  readonly clients: {
    readonly connected: number | undefined;
    readonly limit: number | undefined;
    readonly blocked: number | undefined;
  };
  /** Since the server started, like `rejected`. */
  readonly evicted: number | undefined;
  readonly rejected: number | undefined;
  readonly rdb: 'ok' | 'failed' | undefined;
  readonly aof: 'ok' | 'failed' | 'off' | undefined;
  /** Of a replica, to its master. */
  readonly link: LinkFacts | undefined;
  /** Of a master. */
  readonly replicas: readonly ReplicaFacts[];
}

interface MemoryFacts {
  /** Used by the limit, as the server compares them; undefined without a limit. */
  readonly ratio: number | undefined;
  readonly policy: string | undefined;
  /** Whether there is anything that the policy lets the server evict. */
  readonly canEvict: boolean;
}

interface LinkFacts {
  readonly state: 'up' | 'down';
  /** Milliseconds ago; undefined where nothing was heard yet. */
  readonly lastHeard: number | undefined;
  /** Bytes that were received and are not applied yet. */
  readonly behind: number | undefined;
}

interface ReplicaFacts {
  readonly isInStep: boolean;
  /** Bytes. */
  readonly behind: number | undefined;
}

export function readNodeFacts(reply: string): NodeFacts {
  const info = new Info(reply);
  const role = info.text('role');
  return {
    isLoading: info.isSet('loading'),
    role: role === 'master' ? 'master' : role === 'slave' ? 'replica' : undefined,
    memory: memoryOf(info),
    clients: {
      connected: info.number('connected_clients'),
      limit: info.number('maxclients'),
      blocked: info.number('blocked_clients'),
    },
    evicted: info.number('evicted_keys'),
    rejected: info.number('rejected_connections'),
    rdb: statusOf(info.text('rdb_last_bgsave_status')),
    aof: aofOf(info),
    link: linkOf(info),
    replicas: replicasOf(info),
  };
}

function memoryOf(info: Info): MemoryFacts {
  const used = info.number('used_memory');
  const limit = info.number('maxmemory');
  // Buffers of replicas and of the append-only file: the server does not count them either when it looks whether it is full.
  const uncounted = info.number('mem_not_counted_for_evict') ?? 0;
  const policy = info.text('maxmemory_policy');
  const expiring = info.records(/^(db\d+)$/).some(({ record }) => record.count('expires') > 0);
  return {
    ratio: used === undefined || !limit ? undefined : (used - uncounted) / limit,
    policy,
    canEvict: policy?.startsWith('allkeys-') || (policy?.startsWith('volatile-') === true && expiring),
  };
}

function statusOf(status: string | undefined): 'ok' | 'failed' | undefined {
  if (status === undefined) return undefined;
  return status === 'ok' ? 'ok' : 'failed';
}

function aofOf(info: Info): NodeFacts['aof'] {
  if (info.number('aof_enabled') === 0) return 'off';
  const statuses = [info.text('aof_last_write_status'), info.text('aof_last_bgrewrite_status')].map(statusOf);
  return statuses.find((status) => status === 'failed') ?? statuses[0];
}

function linkOf(info: Info): LinkFacts | undefined {
  const state = info.text('master_link_status');
  if (state === undefined) return undefined;
  const lastHeard = info.number('master_last_io_seconds_ago');
  return {
    state: state === 'up' ? 'up' : 'down',
    lastHeard: lastHeard === undefined || lastHeard < 0 ? undefined : lastHeard * 1_000,
    // Since Redis 7.
    behind: difference(info.number('slave_read_repl_offset'), info.number('slave_repl_offset')),
  };
}

function replicasOf(info: Info): ReplicaFacts[] {
  const offset = info.number('master_repl_offset');
  return info.records(/^(slave\d+)$/).map(({ record }) => ({
    isInStep: record.text('state') === 'online',
    behind: difference(offset, record.number('offset')),
  }));
}

function difference(ahead: number | undefined, behind: number | undefined): number | undefined {
  if (ahead === undefined || behind === undefined) return undefined;
  return Math.max(0, ahead - behind);
}
