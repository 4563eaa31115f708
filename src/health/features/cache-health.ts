import type { CacheService } from '../../cache/index.js';
import { healthOf, type Finding, type Health } from '../health.js';

/**
 * How the caches are. One that nothing is shared through is always well. Some are told of changes by nobody, as they were configured (`coherence: 'none'`): only who was, and is no longer, lacks
 * it.
 */
export class CacheHealth {
  readonly #caches: readonly CacheService[];
  readonly #wereCoherent = new Set<CacheService>();

  constructor(caches: readonly CacheService[]) {
    this.#caches = caches;
  }

  check(): Health {
    const figures: Record<string, unknown> = {};
    const findings: Finding[] = [];
    for (const cache of this.#caches) {
      const { shared, available, coherent, pendingInvalidations } = cache.stats();
      if (!shared) {
        figures[cache.name] = { shared };
        continue;
      }
      figures[cache.name] = { available, coherent, pendingInvalidations };
      if (coherent) this.#wereCoherent.add(cache);
      // Nothing can tell it of changes while Redis is away.
      if (!available) findings.push({ status: 'degraded', code: 'CACHE_UNAVAILABLE' });
      else if (!coherent && this.#wereCoherent.has(cache))
        findings.push({ status: 'degraded', code: 'CACHE_INCOHERENT' });
    }
    return healthOf(findings, { caches: figures });
  }
}
