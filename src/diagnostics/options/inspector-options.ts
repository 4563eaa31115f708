import type { Duration } from '../../redis/index.js';

/** Options of a {@link RedisInspector}. */
export interface RedisInspectorOptions {
  /** How long one command may take, or the wait for a connection that is away. @default '5s' */
  timeout?: Duration;
}

/** Options of {@link RedisInspector.watchMemory}. */
export interface WatchMemoryOptions {
  /** Ends it. */
  signal?: AbortSignal;
}

/** Options of {@link RedisInspector.commandStats}. */
export interface CommandStatsOptions {
  /** How many are reported. @default 20 */
  top?: number;
  /** What they are ordered by: how often they were called, or how long all calls took. @default 'time' */
  by?: 'calls' | 'time';
}

/** Options of {@link RedisInspector.slowLog}. */
export interface SlowLogOptions {
  /** How many are reported, the latest first. @default 20 */
  count?: number;
  /** Whether arguments are reported: keys and values of the application, which may be personal or secret. @default false */
  arguments?: boolean;
}

/** Options of {@link RedisInspector.save}. */
export interface SaveOptions {
  /** Only `true`: in the foreground, the server would answer nobody until all is written. */
  background: true;
  /** How long to wait for the end of it. @default not at all */
  wait?: Duration;
}

/** Options of {@link RedisInspector.latency}. */
export interface LatencyOptions {
  /** How often each node is asked, one time after another. @default 10 */
  samples?: number;
}
