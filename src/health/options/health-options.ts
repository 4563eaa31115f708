import type { Type } from '@nestjs/common';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { ByteSize, Duration } from '../../redis/index.js';

/** When memory counts as scarce. */
export interface MemoryHealthOptions {
  /**
   * From which part of `maxmemory` on (0 to 1) the connection is degraded, with `MEMORY_HIGH`. It is not looked at where there is no limit, nor
   * where the server evicts keys: a full cache is as it should be. @default 0.9
   */
  degraded?: number;
}

/** What is expected of replication. */
export interface ReplicationHealthOptions {
  /**
   * What the connection is for. `'master'`: with a replica at its other end, it is down (`REDIS_READ_ONLY`). `'replica'`: with a master, it is
   * degraded (`NOT_A_REPLICA`). Not looked at on a Cluster. @default 'master'
   */
  role?: 'master' | 'replica' | 'any';
  /** How far replicas may be behind, in bytes of the replication stream; further, it is degraded (`REPLICATION_LAG`). @default as far as they are */
  maxLag?: ByteSize;
  /** How many replicas a master should have that are in step; with fewer, it is degraded (`REPLICAS_MISSING`). On a Cluster, each master. @default 0 */
  minReplicas?: number;
}

/** How a connection is checked. */
export interface ConnectionHealthOptions {
  /** How long a check may take; a server that has not answered by then is down (`REDIS_TIMEOUT`), whatever `commandTimeout` says. @default '1s' */
  timeout?: Duration;
  /** False: memory is neither judged nor told. @default { degraded: 0.9 } */
  memory?: false | MemoryHealthOptions;
  /** False: replication is neither judged nor told. @default { role: 'master' } */
  replication?: false | ReplicationHealthOptions;
  /**
   * Whether the server is degraded when its last snapshot, or the last write to its append-only file, has failed. One that takes no writes for
   * that reason is degraded in any case. @default true
   */
  persistence?: boolean;
}

/** Options of {@link RedisHealthIndicator.check}. What is left out is as `RedisHealthModule.forRoot` says. */
export interface RedisHealthOptions extends ConnectionHealthOptions {
  /** Name of the connection. @default 'default' */
  connection?: string;
  /** False: where the connection would be down, it is degraded. @default true */
  required?: boolean;
}

/** How the event bus is checked. */
export interface EventsHealthOptions {
  /** How many events of all groups may wait; with more, the bus is degraded (`EVENTS_LAG`). @default as many as do */
  maxLag?: number;
}

/** An indicator of the application, as a function. */
export type IndicatorFunction = () => HealthIndicatorResult | PromiseLike<HealthIndicatorResult>;

/** An indicator of the application, as a class that Nest has one instance of. */
export interface ReadinessIndicator {
  check(): HealthIndicatorResult | PromiseLike<HealthIndicatorResult>;
}

/** What `RedisHealthModule.forRoot` takes. Those of {@link ConnectionHealthOptions} are for all connections. */
export interface RedisHealthRootOptions extends ConnectionHealthOptions {
  /**
   * By name: how one of the connections is checked, where it differs from the others; false leaves it out. One that nobody uses (`state`
   * `'idle'`), and that `required` does not name, is left out by itself, and not opened. @default all alike
   */
  connections?: Readonly<Record<string, false | ConnectionHealthOptions>>;
  /**
   * Names of the connections without which the application is not ready. Where another one is down, it is degraded, and answers 200.
   * @default those with `startup: 'required'`: what it does not start without
   */
  required?: readonly string[];
  /**
   * For how long a result is used again. It ends with a change of the connection's state, and a server that is silent is not asked a second time.
   * @default '1s'
   */
  cacheFor?: Duration;
  /** False: answers tell a status and a code only. @default true */
  details?: boolean;
  /** How far the groups of durable events may be behind; false: the event bus is not asked how far they are. @default whether all have consumers */
  events?: false | EventsHealthOptions;
  /**
   * What else readiness depends on: functions that return a result of terminus, or classes of providers with a method `check`. Each is asked
   * once at a time, however many probes there are, and is down where it has not answered within `timeout` (`INDICATOR_TIMEOUT`), or fails
   * (`INDICATOR_FAILED`). What they tell is shown as it is, and with `details: false` only its status and code. @default none
   */
  indicators?: readonly (IndicatorFunction | Type<ReadinessIndicator>)[];
  /**
   * For how long the application goes on serving when it is closed, with readiness at 503 (`shutting_down`), so that no more requests are sent
   * to it when it ends. Nothing is destroyed meanwhile. Where it listens to no HTTP requests, there is no wait. For signals it needs
   * `app.enableShutdownHooks()`. @default 0
   */
  shutdownDelay?: Duration;
}
