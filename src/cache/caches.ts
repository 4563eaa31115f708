import type { EncryptionService } from '../encryption/index.js';
import { RedisConnection } from '../redis/index.js';
import { showValue } from '../redis/shared.js';
import { CacheBackend } from './cache-backend.js';
import type { CacheService } from './cache.service.js';
import { DEFAULT_CACHE } from './cache.tokens.js';
import { CacheConfigurationError } from './options/cache-configuration-error.js';
import type { CacheOptions, CacheRootOptions } from './options/cache-options.js';
import { resolveNamedOptions, resolveRootOptions } from './options/resolve-cache-options.js';

/** All caches of an application, in the order in which they were made: the default one first. */
export class Caches implements Iterable<CacheService> {
  /** The default cache. */
  readonly default: CacheService;
  readonly #options: CacheRootOptions;
  readonly #backend: CacheBackend;
  readonly #caches = new Map<string, CacheService>();

  /** @internal */
  constructor(
    options: CacheRootOptions,
    connection: RedisConnection | undefined,
    encryption?: EncryptionService,
  ) {
    checkConnection(connection);
    const { backend, cache } = resolveRootOptions(DEFAULT_CACHE, options);
    this.#options = options;
    this.#backend = new CacheBackend(backend, connection, encryption);
    this.default = this.#backend.open(cache);
    this.#caches.set(DEFAULT_CACHE, this.default);
  }

  [Symbol.iterator](): Iterator<CacheService> {
    return this.#caches.values();
  }

  /** The cache of that name, if there is one. */
  get(name: string): CacheService | undefined {
    return this.#caches.get(name);
  }

  /** @internal */
  open(name: string, options: CacheOptions): CacheService {
    if (this.#caches.has(name)) {
      const message = `two caches are called '${name}'; give one of them another name, or import one and the same CacheModule.forFeature where it is used`;
      throw new CacheConfigurationError(`Cache '${name}'`, [{ option: 'name', message }]);
    }
    const cache = this.#backend.open(resolveNamedOptions(name, options, this.#options));
    this.#caches.set(name, cache);
    return cache;
  }

  /** @internal */
  start(): Promise<void> {
    return this.#backend.start();
  }

  /** @internal */
  stop(): Promise<void> {
    return this.#backend.stop();
  }
}

/** A test may have put something else in its place. @throws CacheConfigurationError */
function checkConnection(connection: unknown): void {
  if (!connection || connection instanceof RedisConnection) return;
  const message = `${showValue(connection)} is not a RedisConnection; to have the cache in memory only, as in a test, override its token with null`;
  throw new CacheConfigurationError('The cache', [{ option: 'connection', message }]);
}
