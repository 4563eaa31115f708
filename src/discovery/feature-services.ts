import type { Abstract, Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { Caches, type CacheService } from '../cache/index.js';
import { EncryptionService } from '../encryption/index.js';
import { LockService } from '../lock/index.js';
import { EventBus } from '../pubsub/index.js';

/** The modules of rednest that an application has imported, by their services. */
export interface FeatureServices {
  readonly caches: readonly CacheService[];
  readonly locks: LockService | undefined;
  readonly events: EventBus | undefined;
  readonly encryption: EncryptionService | undefined;
}

/** Finds them wherever they are in the container, visible to the asking module or not. They are there once all modules are made. */
export function featureServices(modules: ModuleRef): FeatureServices {
  return {
    caches: membersOf(find(modules, Caches)),
    locks: find(modules, LockService),
    events: find(modules, EventBus),
    encryption: find(modules, EncryptionService),
  };
}

/** A test may have put something else in the place of the caches. */
function membersOf(caches: Caches | undefined): CacheService[] {
  return typeof caches?.[Symbol.iterator] === 'function' ? [...caches] : [];
}

function find<T>(modules: ModuleRef, service: Type<T> | Abstract<T>): T | undefined {
  try {
    return modules.get<T>(service, { strict: false });
  } catch {
    return undefined; // Nest throws where there is none
  }
}
