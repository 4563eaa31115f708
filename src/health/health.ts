import type { RedisErrorCode } from '../redis/index.js';

/** Why something is not well, the same in each release: the code of a Redis error, or what was found at a server that answers. */
export type HealthCode =
  | RedisErrorCode
  /** Of the memory that the server may use, more is used than `memory.degraded` says, and nothing can be evicted. */
  | 'MEMORY_HIGH'
  /** A master, where `replication.role` says `'replica'`. */
  | 'NOT_A_REPLICA'
  /** A replica has no link to its master: what it answers grows old. */
  | 'REPLICATION_LINK_DOWN'
  /** A replica is further behind than `replication.maxLag`. */
  | 'REPLICATION_LAG'
  /** Fewer replicas than `replication.minReplicas` are in step with their master. */
  | 'REPLICAS_MISSING'
  /** The last snapshot, or the last write to the append-only file, has failed; the server may take no writes for that reason. */
  | 'PERSISTENCE_FAILED'
  /** A cache does not ask Redis: it is away, or too slow. */
  | 'CACHE_UNAVAILABLE'
  /** The local tier of a cache is not told of changes. */
  | 'CACHE_INCOHERENT'
  /** A group of durable events waits for consumers, and there is none. */
  | 'EVENTS_NO_CONSUMER'
  /** More events wait than `events.maxLag`. */
  | 'EVENTS_LAG'
  /** An indicator of the application has thrown, or has given no result of terminus. */
  | 'INDICATOR_FAILED'
  /** An indicator of the application has not answered within `timeout`. */
  | 'INDICATOR_TIMEOUT';

export type HealthStatus = 'up' | 'degraded' | 'down';

/** How something is. It tells no hosts, versions, keys or texts of errors. */
export interface Health {
  readonly status: HealthStatus;
  /** The first reason of the worst kind. Undefined where all is well. */
  readonly code?: HealthCode;
  /** All reasons, the worst first, where there are several. */
  readonly codes?: readonly HealthCode[];
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One thing that is not well. */
export interface Finding {
  readonly status: 'degraded' | 'down';
  readonly code: HealthCode;
}

/** What the findings come to: as bad as the worst of them. */
export function healthOf(findings: readonly Finding[], details: Health['details'] = {}): Health {
  const worst = findings.filter(({ status }) => status === 'down');
  const others = findings.filter(({ status }) => status === 'degraded');
  const codes = [...new Set([...worst, ...others].map(({ code }) => code))];
  const [code] = codes;
  if (code === undefined) return { status: 'up', details };
  const status = worst.length > 0 ? 'down' : 'degraded';
  return { status, code, ...(codes.length > 1 && { codes }), details };
}
