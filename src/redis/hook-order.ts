import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/**
 * Nest runs the hooks by distance from the root module: the farthest starts first and is destroyed last. All global modules, which the
 * application may have too, are as far.
 */
export const HOOK_DISTANCE = {
  /** Redis is there in every hook of others. */
  connections: Infinity,
  /** Handlers get events when all else is ready, and none before anything is destroyed. */
  events: -Number.MAX_VALUE,
  /** Before the event bus drains, the probes say that the application shuts down, and connections hear of it. */
  probes: -Infinity,
} as const;

/** Has the hooks of a module run in their place among those of others. */
export function setDistance(
  modules: ModulesContainer,
  metatype: Type,
  distance: (typeof HOOK_DISTANCE)[keyof typeof HOOK_DISTANCE],
): void {
  for (const module of modules.values()) if (module.metatype === metatype) module.distance = distance;
}
