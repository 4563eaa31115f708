import { ConfigurableModuleBuilder, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { showValue } from '../redis/shared.js';
import { getCacheToken } from './cache.tokens.js';
import { Caches } from './caches.js';
import { CacheConfigurationError } from './options/cache-configuration-error.js';
import type { CacheOptions } from './options/cache-options.js';

interface FeatureExtras {
  name?: string;
  extraProviders?: Provider[];
}

const { ConfigurableModuleClass: ConfigurableCacheFeatureModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<CacheOptions>({ moduleName: 'CacheFeature' })
    .setClassMethodName('forFeature')
    .setFactoryMethodName('createCacheOptions')
    .setExtras<FeatureExtras>({ name: '', extraProviders: [] }, completeDefinition)
    .build();

/** One named cache. */
@Module({})
export class CacheFeatureModule extends ConfigurableCacheFeatureModule {}

function completeDefinition(definition: DynamicModule, extras: FeatureExtras): DynamicModule {
  const { name, extraProviders = [] } = extras;
  const cacheName = checkName(name);
  const cache: Provider = {
    provide: getCacheToken(cacheName),
    inject: [Caches, MODULE_OPTIONS_TOKEN],
    useFactory: (caches: Caches, options: CacheOptions) => caches.open(cacheName, options),
  };
  return {
    ...definition,
    providers: [...(definition.providers ?? []), ...extraProviders, cache],
    exports: [getCacheToken(cacheName)],
  };
}

/** The name stands between others in the keys of Redis: with ':' in it, one cache could reach the entries of another. */
function checkName(name: unknown): string {
  if (typeof name === 'string' && /^[\w.-]+$/.test(name)) return name;
  const message = `${showValue(name)} is not the name of a cache (letters, digits, '_', '-' and '.')`;
  throw new CacheConfigurationError('A cache of CacheModule.forFeature', [{ option: 'name', message }]);
}
