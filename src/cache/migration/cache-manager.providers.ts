import type { Provider } from '@nestjs/common';
import { CacheService } from '../cache.service.js';
import { Cache } from './cache-manager.js';
import { CACHE_MANAGER } from './migration.constants.js';

/** @internal what a module provides and exports, beside the default cache, for code that was written for `@nestjs/cache-manager` */
export const cacheManagerProviders: Provider[] = [
  { provide: CACHE_MANAGER, inject: [CacheService], useFactory: (cache: CacheService) => new Cache(cache) },
  { provide: Cache, useExisting: CACHE_MANAGER },
];
