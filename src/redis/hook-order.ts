import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** Nest runs the hooks by distance from the root module: the farthest starts first and is destroyed last. */
const DISTANCES = { 'all but the probes': -Number.MAX_VALUE, all: -Infinity } as const;

/**
 * Has the hooks of a module run around those of others: it starts after them, and is destroyed before them.
 *
 * @param others the event bus drains while the probes say already that the application shuts down
 */
export function runsAround(modules: ModulesContainer, metatype: Type, others: keyof typeof DISTANCES): void {
  for (const module of modules.values())
    if (module.metatype === metatype) module.distance = DISTANCES[others];
}
