import type { EncryptionService } from '../encryption/index.js';
import type { RedisConnection } from '../redis/index.js';
import { CacheCounters } from './cache-counters.js';
import type { CacheKeys } from './cache-keys.js';
import type { CacheParts } from './cache-parts.js';
import { CacheService } from './cache.service.js';
import type { Coherence } from './coherence/coherence.js';
import { EntryEncryption } from './entry/entry-encryption.js';
import { EntrySerializer } from './entry/entry-serializer.js';
import type { LimitedWarnings } from '../logging/limited-warnings.js';
import { FactoryRunner } from './flight/factory-runner.js';
import { Flights } from './flight/flights.js';
import { Leases } from './flight/leases.js';
import { ValueMaker } from './flight/value-maker.js';
import { Waiters } from './flight/waiters.js';
import { LocalTier } from './local/local-tier.js';
import { Lookup } from './lookup/lookup.js';
import { Inspector } from './maintenance/inspector.js';
import { Maintenance } from './maintenance/maintenance.js';
import { Sweeper } from './maintenance/sweeper.js';
import { CacheConfigurationError } from './options/cache-configuration-error.js';
import type { ResolvedCacheOptions } from './options/resolved-cache-options.js';
import type { RedisTier } from './remote/redis-tier.js';
import type { ServerClock } from './server-clock.js';
import { LocalStampKeeper, RedisStampKeeper } from './stamps/stamp-keeper.js';
import type { Stamp } from './stamps/stamp.js';
import type { Stamps } from './stamps/stamps.js';
import { EntryWriter } from './store/entry-writer.js';
import { Invalidator } from './store/invalidator.js';
import { Setter } from './store/setter.js';

/** What a cache takes from the backend. */
export interface Shared {
  readonly connection: RedisConnection | undefined;
  readonly encryption: EncryptionService | undefined;
  readonly keys: CacheKeys;
  readonly clock: ServerClock;
  readonly coherence: Coherence;
  readonly tier: RedisTier | undefined;
  readonly stamps: Stamps;
  readonly warnings: LimitedWarnings;
  /** Aborted at shutdown. */
  readonly stopping: AbortSignal;
  invalidateStamp(stamp: Stamp): void;
}

/** A cache, and what the backend tells it. */
export interface Cache {
  readonly service: CacheService;
  readonly generation: Stamp;
  /** A key of Redis has changed. @returns whether it is one of this cache's */
  change(redisKey: string): boolean;
  /** Any key may have. */
  changeAll(): void;
  /** Redis, or one of its masters, answers again. */
  recover(): void;
  /** What is being made may be out of date. */
  outdateAll(): void;
  /** Gives its leases back; resolves within the budget. */
  close(): Promise<void>;
}

/** How long local entries are believed by default, in milliseconds. */
const MAX_AGE = { pushed: 60_000, announced: 10_000, unknown: 1_000, own: Infinity };

const CHANGES = { tracking: 'pushed', pubsub: 'announced', none: 'unknown' } as const;

/** Puts a cache together. @throws CacheConfigurationError where it is to encrypt and cannot */
export function buildCache(options: ResolvedCacheOptions, shared: Shared): Cache {
  const { tier, clock, stopping } = shared;
  const parts = partsOf(options, shared);
  const leases = tier && new Leases(tier, options.lease);
  const waiters = new Waiters();
  const lookup = new Lookup(parts);
  const keeper = tier
    ? new RedisStampKeeper(tier, clock, (stamp) => lookup.isKnown(stamp))
    : new LocalStampKeeper();
  const writer = new EntryWriter(parts);
  const runner = new FactoryRunner(parts, lookup, writer, { keeper, signal: stopping });
  const flights = new Flights(parts, lookup, new ValueMaker(parts, lookup, runner, { leases, waiters }));
  const invalidator = new Invalidator(parts, flights, (stamp) => shared.invalidateStamp(stamp));
  return {
    service: new CacheService({
      parts,
      lookup,
      flights,
      setter: new Setter(parts, { lookup, writer, flights, keeper }),
      invalidator,
      maintenance: new Maintenance(parts, flights, invalidator, sweeperOf(parts, shared)),
      inspector: new Inspector(parts, lookup, () => tier === undefined || shared.coherence.armed),
    }),
    generation: parts.generation,
    change(redisKey) {
      if (!redisKey.startsWith(parts.prefix)) return false;
      const key = redisKey.slice(parts.prefix.length);
      parts.local?.delete(key);
      flights.change(key);
      waiters.wake(redisKey);
      return true;
    },
    changeAll() {
      flights.outdateAll();
      waiters.wakeAll();
    },
    outdateAll: () => flights.outdateAll(),
    recover: () => leases?.releaseAbandoned(),
    async close() {
      waiters.wakeAll();
      await leases?.close();
    },
  };
}

function partsOf(options: ResolvedCacheOptions, shared: Shared): CacheParts {
  const { keys, stamps, tier, clock, coherence, warnings, connection } = shared;
  const { namespace } = keys;
  const prefix = keys.entries(options.name);
  const counters = new CacheCounters({ connectionId: connection?.id, namespace, cache: options.name });
  return {
    options,
    keys,
    tier,
    stamps,
    clock,
    counters,
    warnings,
    prefix,
    local: options.local && new LocalTier({ ...options.local, onEvict: (key) => counters.evict(key) }),
    localShard: coherence.shardOf(0),
    // Which coherence there is may be known only when the server has answered.
    get changes() {
      return tier ? CHANGES[coherence.mode] : 'own';
    },
    get maxAge() {
      return (tier && options.local?.maxAge) ?? MAX_AGE[this.changes];
    },
    generation: stamps.get(keys.generation(options.name)),
    serializer: new EntrySerializer(
      options,
      (message) => warnings.warn('serializer', message),
      encryptionOf(options, shared, prefix),
    ),
  };
}

/** Undefined where entries are stored as they are. Without Redis nothing leaves the process, and there is nothing to encrypt. */
function encryptionOf(
  { encrypt, name }: ResolvedCacheOptions,
  { connection, encryption }: Shared,
  prefix: string,
): EntryEncryption | undefined {
  if (!encrypt || !connection) return undefined;
  if (encryption) return new EntryEncryption(encryption, prefix);
  const message =
    'needs EncryptionService: import EncryptionModule.forRoot(), where it is not global also among the imports of CacheModule.forRoot';
  throw new CacheConfigurationError(`Cache '${name}'`, [{ option: 'encrypt', message }]);
}

function sweeperOf({ prefix }: CacheParts, { connection, tier }: Shared): Sweeper | undefined {
  return connection && new Sweeper(connection, prefix, (keys) => tier?.announce(keys));
}
