import type { Duration, RedisConnection } from '../redis/index.js';
import { clients } from './figures/clients.js';
import { commandStats } from './figures/command-stats.js';
import { keyspace } from './figures/keyspace.js';
import { latency } from './figures/latency.js';
import { memory } from './figures/memory.js';
import { persistence } from './figures/persistence.js';
import { replication } from './figures/replication.js';
import type {
  ClientFigures,
  CommandStatsFigures,
  KeyspaceFigures,
  LatencyFigures,
  MemoryReport,
  MemorySample,
  PersistenceFigures,
  ReplicationFigures,
  SaveFigures,
  ServerFigures,
  SlowLogReport,
} from './figures/reports.js';
import { save } from './figures/save.js';
import { server } from './figures/server.js';
import { slowLog } from './figures/slow-log.js';
import { watchMemory } from './figures/watch-memory.js';
import type {
  CommandStatsOptions,
  LatencyOptions,
  RedisInspectorOptions,
  SaveOptions,
  SlowLogOptions,
  WatchMemoryOptions,
} from './options/inspector-options.js';
import { Inquiry } from '../inquiry/inquiry.js';
import type { Report } from '../inquiry/omission.js';
import {
  resolveCommandStatsOptions,
  resolveInspectorOptions,
  resolveLatencyOptions,
  resolveSaveOptions,
  resolveSlowLogOptions,
  resolveWatchOptions,
} from './options/resolve-inspector-options.js';
import { bigKeys } from './scans/big-keys.js';
import {
  resolveBigKeysOptions,
  resolveStaleKeysOptions,
  resolveSweepKeysOptions,
} from './scans/resolve-scan-options.js';
import type { BigKeysOptions, StaleKeysOptions, SweepKeysOptions } from './scans/scan-options.js';
import type { BigKeysReport, StaleKeysReport, SweepReport } from './scans/scan-reports.js';
import { staleKeys } from './scans/stale-keys.js';
import { sweepKeys } from './scans/sweep-keys.js';

/**
 * A look into the server behind a connection, or into each master of a Cluster. What a user may not ask for, or a managed server does not
 * have, is left out and said: see `omitted`.
 *
 * All methods throw a RedisError where no node can be reached, and an InspectionConfigurationError where their options are wrong.
 *
 * @example
 * const { used, limit, warnings } = await inspector.memory();
 */
export class RedisInspector {
  readonly #connection: RedisConnection;
  readonly #inquiry: Inquiry;

  /** @throws InspectionConfigurationError */
  constructor(connection: RedisConnection, options: RedisInspectorOptions = {}) {
    this.#connection = connection;
    this.#inquiry = new Inquiry(connection, resolveInspectorOptions(options).timeout);
  }

  /** Memory: how much is used of how much, and what is wrong with that in plain words. */
  async memory(): Promise<MemoryReport> {
    return memory(this.#inquiry);
  }

  /**
   * Looks at the memory again and again, for its trend: at once, and then each `interval` for as long as the loop goes on. While no node
   * can be reached there are no samples. It ends with the signal, or at the first look after the connection was closed, and keeps no process
   * alive.
   *
   * @param interval at least 100 ms
   * @throws RedisError where the user may not ask, or the server does not tell
   * @example
   * for await (const { memory, perMinute } of inspector.watchMemory('10s')) console.log(memory.used, perMinute);
   */
  watchMemory(interval: Duration, options: WatchMemoryOptions = {}): AsyncIterable<MemorySample> {
    return watchMemory(() => this.memory(), resolveWatchOptions(interval, options));
  }

  /** How many keys there are, and how many of them expire. */
  async keyspace(): Promise<Report<KeyspaceFigures>> {
    return keyspace(this.#inquiry);
  }

  /** The commands that were called most, or cost most. */
  async commandStats(options: CommandStatsOptions = {}): Promise<Report<CommandStatsFigures>> {
    return commandStats(this.#inquiry, resolveCommandStatsOptions(options));
  }

  /** The commands that took longer than the server's `slowlog-log-slower-than`. */
  async slowLog(options: SlowLogOptions = {}): Promise<SlowLogReport> {
    return slowLog(this.#inquiry, resolveSlowLogOptions(options));
  }

  /** Who is connected, by name. */
  async clients(): Promise<Report<ClientFigures>> {
    return clients(this.#inquiry);
  }

  /** Which server it is, and how much goes through it. */
  async server(): Promise<Report<ServerFigures>> {
    return server(this.#inquiry);
  }

  /** What is kept on disk, and whether that goes well. */
  async persistence(): Promise<Report<PersistenceFigures>> {
    return persistence(this.#inquiry);
  }

  /**
   * Has each master write a snapshot in the background. One that is under way already is no failure.
   *
   * @example
   * const { state } = await inspector.save({ background: true, wait: '1m' });
   */
  async save(options: SaveOptions): Promise<Report<SaveFigures>> {
    return save(this.#inquiry, resolveSaveOptions(options));
  }

  /** The replicas of each master and how far they are behind, or a replica's link to its master. */
  async replication(): Promise<Report<ReplicationFigures>> {
    return replication(this.#inquiry);
  }

  /** How long a round trip takes, and what the server itself was slow with. */
  async latency(options: LatencyOptions = {}): Promise<Report<LatencyFigures>> {
    return latency(this.#inquiry, resolveLatencyOptions(options));
  }

  /**
   * The biggest keys, and how much there is of each type: looks at all keys (`SCAN`), 50 at a time, and pauses for as long as that took. Its
   * memory depends on `top` only. It goes on over a restart or a failover, and waits for Redis for about a minute; with a server that is
   * there anew it begins again. The names of keys are data of the application.
   *
   * `MEMORY USAGE` is no use of a key. To ask how many elements it has is one, after which its idle time begins anew: with `by: 'bytes'`, of
   * the keys that are listed; with `by: 'elements'`, of all.
   *
   * @throws RedisError where it may not scan, or Redis was away for too long before anything was found
   * @example
   * const { keys, byType } = await inspector.bigKeys({ match: 'app:*', top: 10 });
   */
  async bigKeys(options: BigKeysOptions = {}): Promise<BigKeysReport> {
    return bigKeys(this.#connection, resolveBigKeysOptions(options));
  }

  /**
   * The keys that were not read or written for long, in the way of {@link bigKeys}. To be looked at here is no use of a key. Where the server
   * may not know of all reads, `warnings` says so; the idle time of small whole numbers is `unknown`.
   *
   * @throws IdleTimeUnavailableError under an LFU policy; RedisError as with bigKeys, and where `OBJECT IDLETIME` is not permitted
   * @example
   * const { stale, scanned } = await inspector.staleKeys({ idleFor: '30d' });
   */
  async staleKeys(options: StaleKeysOptions): Promise<StaleKeysReport> {
    return staleKeys(this.#connection, resolveStaleKeysOptions(options));
  }

  /**
   * Removes keys that were not used for long, or entries of the cache that are old (`UNLINK`), in the way of {@link bigKeys}. One that is
   * used, or made anew, before it is removed stays, and so does one whose idle time is not known. The server's idle times are all that it has
   * to go by: reads from replicas, from local tiers, and while a snapshot is written are not in them. Where it can be seen that uses may be
   * missing, it removes nothing without `trustIdleTimes`; while the server saves, it waits, for about a minute. Local tiers of caches are told only with coherence `'tracking'`: `CacheService.sweep`
   * tells them all. To read an age counts as a use of the key, also with `dryRun`.
   *
   * @throws as {@link staleKeys}; IdleTimeUnavailableError only with `idleFor`, also where there was replication, for a connection that reads from
   *   replicas, and where snapshots take as long as `idleFor`. In the middle of a sweep that has removed something it is the report's `failure`
   * @example
   * const { removed } = await inspector.sweep({ match: 'session:*', idleFor: '90d', dryRun: true });
   */
  async sweep(options: SweepKeysOptions): Promise<SweepReport> {
    return sweepKeys(this.#connection, resolveSweepKeysOptions(options));
  }
}
