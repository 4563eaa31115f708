import type { Info, InfoRecord } from './info.js';

/** What `INFO replication` tells. */
export interface ReplicationReading {
  /** Undefined where the server does not tell. */
  readonly role: 'master' | 'replica' | undefined;
  /** Of a replica, to its master. */
  readonly link: LinkReading | undefined;
  /** Those that copy from this server. */
  readonly replicas: readonly ReplicaReading[];
}

export interface LinkReading {
  readonly state: 'up' | 'down';
  /** Milliseconds since the master was heard of, to the second; undefined where there is no link. */
  readonly lastHeard: number | undefined;
  /** Whether a whole copy is being transferred. */
  readonly syncing: boolean;
  /** Bytes of that copy that are still to come; undefined without one, or while its size is not known. */
  readonly syncLeft: number | undefined;
  /** Bytes that were received and are not applied; undefined before Redis 7, and while a whole copy is being transferred. */
  readonly behind: number | undefined;
}

export interface ReplicaReading {
  /** `host:port`, as the master knows it. */
  readonly replica: string;
  /** `online` once it has its copy and follows; `unknown` where the server does not tell. */
  readonly state: string;
  readonly isInStep: boolean;
  /** Bytes that it has not confirmed; undefined unless it is in step and has confirmed something. */
  readonly behind: number | undefined;
  /** Milliseconds since it was heard of, to the second. */
  readonly lastHeard: number;
}

/** @param info the section `replication`, or all of them */
export function readReplication(info: Info): ReplicationReading {
  const role = info.text('role');
  const offset = info.number('master_repl_offset');
  return {
    role: role === 'master' ? 'master' : role === 'slave' ? 'replica' : undefined,
    link: linkOf(info),
    replicas: info.records(/^slave(\d+)$/).map(({ record }) => replicaOf(record, offset)),
  };
}

function linkOf(info: Info): LinkReading | undefined {
  const state = info.text('master_link_status');
  if (state === undefined) return undefined;
  const seconds = info.number('master_last_io_seconds_ago');
  const left = info.number('master_sync_left_bytes');
  const syncing = info.isSet('master_sync_in_progress');
  const [read, applied] = [info.number('slave_read_repl_offset'), info.number('slave_repl_offset')];
  return {
    state: state === 'up' ? 'up' : 'down',
    // Negative where there is no link, or the size is not known.
    lastHeard: seconds === undefined || seconds < 0 ? undefined : seconds * 1_000,
    syncing,
    syncLeft: left === undefined || left < 0 ? undefined : left,
    behind: syncing ? undefined : difference(read, applied),
  };
}

/** @param offset of what the master has sent */
function replicaOf(record: InfoRecord, offset: number | undefined): ReplicaReading {
  const state = record.text('state') ?? 'unknown';
  const isInStep = state === 'online';
  // One that is given its copy, or has just been, is told of with 0: not even a new master has sent so little.
  const confirmed = record.number('offset') || undefined;
  return {
    replica: `${record.text('ip') ?? ''}:${record.text('port') ?? ''}`,
    state,
    isInStep,
    behind: isInStep ? difference(offset, confirmed) : undefined,
    lastHeard: record.count('lag') * 1_000,
  };
}

function difference(ahead: number | undefined, behind: number | undefined): number | undefined {
  if (ahead === undefined || behind === undefined) return undefined;
  return Math.max(0, ahead - behind);
}
