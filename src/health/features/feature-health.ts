import type { ModuleRef } from '@nestjs/core';
import { featureServices } from '../../discovery/feature-services.js';
import type { EncryptionService } from '../../encryption/index.js';
import type { LockService } from '../../lock/index.js';
import { logger } from '../health-logger.js';
import type { Health } from '../health.js';
import type { ResolvedHealthOptions } from '../options/resolved-health-options.js';
import { CacheHealth } from './cache-health.js';
import { EventsHealth } from './events-health.js';

/** How one module of rednest is. Never rejects, and is never down: the connections decide whether the application is ready. */
export type FeatureCheck = () => Health | Promise<Health>;

/** The checks of the modules that an application has imported, by the name that they have in an answer. */
export class FeatureHealth {
  readonly #modules: ModuleRef;
  readonly #options: ResolvedHealthOptions;
  #checks: ReadonlyMap<string, FeatureCheck> | undefined;

  constructor(modules: ModuleRef, options: ResolvedHealthOptions) {
    this.#modules = modules;
    this.#options = options;
  }

  /** They are found when first asked for: not all are made when this is. */
  checks(): ReadonlyMap<string, FeatureCheck> {
    return (this.#checks ??= this.#find());
  }

  #find(): ReadonlyMap<string, FeatureCheck> {
    const { caches, locks, events, encryption } = featureServices(this.#modules);
    const checks = new Map<string, FeatureCheck>();
    const add = (key: string, check: FeatureCheck) => checks.set(key, guarded(key, check));
    if (caches.length > 0) {
      const health = new CacheHealth(caches);
      add('cache', () => health.check());
    }
    if (locks) add('locks', () => lockHealth(locks));
    if (events) {
      const health = new EventsHealth(events, this.#options);
      add('events', () => health.check());
    }
    if (encryption) add('encryption', () => encryptionHealth(encryption));
    return checks;
  }
}

/** What a test has put in the place of a service may tell no figures. That is told once, and is no reason to fail. */
function guarded(key: string, check: FeatureCheck): FeatureCheck {
  let isTold = false;
  return async () => {
    try {
      return await check();
    } catch (error) {
      if (!isTold) logger.warn(`'${key}' tells no figures: ${String(error)}`);
      isTold = true;
      return { status: 'up', details: { omitted: ['figures'] } };
    }
  };
}

function lockHealth(locks: LockService): Health {
  return { status: 'up', details: { ...locks.stats() } };
}

function encryptionHealth(encryption: EncryptionService): Health {
  return { status: 'up', details: { refused: encryption.stats().refused } };
}
