import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { HealthIndicatorFunction, HealthIndicatorResult } from '@nestjs/terminus';
import { logger } from '../health-logger.js';
import type { ReadinessIndicator } from '../options/health-options.js';

export type ApplicationIndicator = HealthIndicatorFunction | Type<ReadinessIndicator>;

/** Asks an indicator of the application. Where it throws, that is told in the log, and it is down. */
export async function askIndicator(
  indicator: ApplicationIndicator,
  modules: ModuleRef,
): Promise<HealthIndicatorResult> {
  try {
    if (isClass(indicator)) return await modules.get(indicator, { strict: false }).check();
    return await (indicator as () => HealthIndicatorResult | PromiseLike<HealthIndicatorResult>)();
  } catch (error) {
    // What terminus 11 has indicators throw carries their result.
    const { causes } = Object(error) as { causes?: HealthIndicatorResult };
    if (causes) return causes;
    const name = (indicator as { name?: string }).name || 'indicator';
    logger.error(`The indicator '${name}' has thrown`, error instanceof Error ? error.stack : String(error));
    return { [name]: { status: 'down', code: 'INDICATOR_FAILED' } };
  }
}

function isClass(indicator: ApplicationIndicator): indicator is Type<ReadinessIndicator> {
  const { prototype } = indicator as { prototype?: Partial<ReadinessIndicator> };
  return typeof prototype?.check === 'function';
}
