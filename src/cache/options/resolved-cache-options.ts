import type { Codec } from '../codecs/codec.js';
import type { CoherenceMode } from '../coherence/coherence.js';
import type { CompressionAlgorithm, NegativeCachingOptions } from './cache-options.js';

/** Options of one cache after defaults and validation. Durations are milliseconds, sizes bytes. */
export interface ResolvedCacheOptions {
  readonly name: string;
  readonly ttl: number;
  readonly stale: number;
  readonly jitter: number;
  readonly softTimeout: number;
  readonly hardTimeout: number | undefined;
  readonly earlyRefresh: number;
  readonly errors: NegativeCachingOptions | undefined;
  readonly lease: number;
  readonly refreshRetry: number;
  readonly local:
    | {
        readonly maxEntries: number;
        readonly maxBytes: number;
        /** Undefined: it depends on the coherence. */
        readonly maxAge: number | undefined;
        readonly values: 'shared' | 'cloned' | 'frozen';
      }
    | undefined;
  readonly codec: Codec;
  readonly compression: { readonly algorithm: CompressionAlgorithm; readonly threshold: number } | undefined;
  readonly encrypt: boolean;
  readonly maxValueSize: number;
  readonly oversize: 'skip' | 'throw';
}

/** What the caches of an application share. */
export interface ResolvedBackendOptions {
  readonly namespace: string;
  /** Undefined: tracking, or pubsub where that cannot be had. */
  readonly coherence: CoherenceMode | undefined;
  readonly budget: number;
  readonly breakerFailures: number;
  readonly breakerRetry: number;
  readonly batchSize: number;
  readonly pendingInvalidations: number;
}
