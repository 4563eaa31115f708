import {
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { CacheCoreModule, type CacheConnectionExtras } from './cache-core.module.js';
import { CacheFeatureModule } from './cache-feature.module.js';
import { getCacheToken } from './cache.tokens.js';
import { Caches } from './caches.js';
import { Cache } from './migration/cache-manager.js';
import { cacheManagerProviders } from './migration/cache-manager.providers.js';
import { CACHE_MANAGER } from './migration/migration.constants.js';
import type { CacheOptions, CacheRootOptions } from './options/cache-options.js';

/** What `forRoot` and `forRootAsync` take beside the options of the caches. */
export interface CacheModuleExtras extends CacheConnectionExtras {
  /** Whether all modules may inject the default cache without importing `CacheModule`. @default true */
  isGlobal?: boolean;
}

/** Options of {@link CacheModule.forRoot}. */
export type CacheModuleOptions = CacheRootOptions &
  CacheModuleExtras & {
    /** The modules of the connection and of the encryption, where they are not global. */
    imports?: NonNullable<ModuleMetadata['imports']>;
  };

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface CacheOptionsFactory {
  createCacheOptions(): CacheRootOptions | Promise<CacheRootOptions>;
}

interface AsyncExtras {
  /** Providers that the factory needs and that live in no module of their own. */
  extraProviders?: Provider[];
}

export type CacheModuleAsyncOptions = ConfigurableModuleAsyncOptions<CacheRootOptions, 'createCacheOptions'> &
  CacheModuleExtras &
  AsyncExtras;

interface NamedCache {
  /** Case-sensitive: letters, digits, `_`, `-` and `.`. */
  name: string;
}

/** Options of {@link CacheModule.forFeature}. */
export type NamedCacheOptions = CacheOptions & NamedCache;

export type NamedCacheAsyncOptions = ConfigurableModuleAsyncOptions<CacheOptions, 'createCacheOptions'> &
  NamedCache &
  AsyncExtras;

/**
 * Caching in two tiers: in the process, and in Redis behind it.
 *
 * `forRoot` makes the default cache, {@link CacheService}, and `forFeature` further ones with options of their own. Without a Redis
 * connection in the application, values are cached in the process only. Wrong options fail the start with a
 * {@link CacheConfigurationError} that lists every problem.
 *
 * @example
 * imports: [
 *   RedisModule.forRoot(),
 *   CacheModule.forRoot({ namespace: 'atlas', ttl: '10m' }),
 *   CacheModule.forFeature({ name: 'pages', ttl: '1h', local: { maxBytes: '256mb' } }),
 * ]
 */
@Module({})
export class CacheModule {
  /** The default cache, and what all caches share. Once in an application. */
  static forRoot(
    { isGlobal = true, ...options }: CacheModuleOptions = {} as CacheModuleOptions,
  ): DynamicModule {
    return defaultCache(CacheCoreModule.forRoot(options), isGlobal);
  }

  /**
   * As {@link forRoot}, with options that other providers give. `connection` and `isGlobal` are given beside them: injection tokens
   * depend on them.
   *
   * @example
   * CacheModule.forRootAsync({ inject: [ConfigService], useFactory: (config: ConfigService) => ({ namespace: config.getOrThrow('NAME') }) })
   */
  static forRootAsync({ isGlobal = true, ...options }: CacheModuleAsyncOptions): DynamicModule {
    return defaultCache(CacheCoreModule.forRootAsync(options), isGlobal);
  }

  /**
   * Named caches, for the modules that import this, by `@InjectCache(name)`. What the options leave out is as given to `forRoot`. To
   * have one cache in several modules, import the same object in each.
   *
   * @throws CacheConfigurationError for a name that cannot be one
   */
  static forFeature(caches: NamedCacheOptions | readonly NamedCacheOptions[]): DynamicModule {
    const list = Array.isArray(caches) ? (caches as readonly NamedCacheOptions[]) : [caches];
    return namedCaches(list.map((options) => CacheFeatureModule.forFeature(options as NamedCacheOptions)));
  }

  /** As {@link forFeature}, for one cache, with options that other providers give. */
  static forFeatureAsync(options: NamedCacheAsyncOptions): DynamicModule {
    return namedCaches([CacheFeatureModule.forFeatureAsync(options)]);
  }
}

function defaultCache(core: DynamicModule, isGlobal: boolean): DynamicModule {
  const token = getCacheToken();
  const cache: Provider = {
    provide: token,
    inject: [Caches],
    useFactory: (caches: Caches) => caches.default,
  };
  return {
    module: CacheModule,
    global: isGlobal,
    imports: [core],
    providers: [cache, ...cacheManagerProviders],
    exports: [token, CACHE_MANAGER, Cache],
  };
}

function namedCaches(modules: DynamicModule[]): DynamicModule {
  return { module: CacheModule, imports: modules, exports: modules };
}
