import type { Type } from '@nestjs/common';
import type { IndicatorFunction, ReadinessIndicator } from './health-options.js';

/** How a connection is checked: complete, in milliseconds and bytes. */
export interface ResolvedConnectionHealthOptions {
  readonly timeout: number;
  /** Undefined where it is not looked at; the same of `replication`. */
  readonly memory: { readonly degraded: number } | undefined;
  readonly replication:
    | {
        readonly role: 'master' | 'replica' | 'any';
        readonly maxLag: number;
        readonly minReplicas: number;
      }
    | undefined;
  readonly persistence: boolean;
}

/** Of one check. */
export interface ResolvedCheckOptions {
  readonly connection: string;
  readonly required: boolean;
  /** What was said of the check, still to be completed by what is said of the connection. */
  readonly complete: (defaults: ResolvedConnectionHealthOptions) => ResolvedConnectionHealthOptions;
}

/** Options of the module after defaults and validation. */
export interface ResolvedHealthOptions {
  /** For connections that nothing else is said of. */
  readonly defaults: ResolvedConnectionHealthOptions;
  /** By name; undefined where one is left out. */
  readonly connections: ReadonlyMap<string, ResolvedConnectionHealthOptions | undefined>;
  /** Undefined: as the connections themselves say. */
  readonly required: readonly string[] | undefined;
  readonly cacheFor: number;
  readonly details: boolean;
  readonly events: { readonly maxLag: number } | undefined;
  readonly indicators: readonly (IndicatorFunction | Type<ReadinessIndicator>)[];
  readonly shutdownDelay: number;
}
