import type { Duration } from '../../redis/index.js';
import { resolveAdapterOptions } from '../adapter-options.js';

/** Options of {@link RedisThrottlerStorage}. */
export interface RedisThrottlerStorageOptions {
  /** First part of the keys. Applications that share a Redis, and not their limits, each have one of their own. @default 'throttle' */
  namespace?: string;
  /**
   * What becomes of a request that cannot be counted: Redis is away, too slow, or takes no writes. `'allow'`: it passes, so that an outage of
   * Redis is not one of the application. `'refuse'`: it is answered with 503, so that no request passes uncounted. @default 'allow'
   */
  whenUnavailable?: 'allow' | 'refuse';
  /** How long a request waits for Redis. @default '50ms' */
  budget?: Duration;
}

/** After defaults and validation. */
export interface ResolvedThrottlerOptions {
  readonly namespace: string;
  readonly whenUnavailable: 'allow' | 'refuse';
  /** Milliseconds. */
  readonly budget: number;
}

const OPTIONS = { namespace: true, whenUnavailable: true, budget: true } as const satisfies Record<
  keyof RedisThrottlerStorageOptions,
  true
>;

/** @throws AdapterConfigurationError with every problem that was found */
export function resolveThrottlerOptions(options: RedisThrottlerStorageOptions): ResolvedThrottlerOptions {
  return resolveAdapterOptions('RedisThrottlerStorage', { options, names: OPTIONS }, (settings) => ({
    namespace: settings.namespace('namespace') ?? 'throttle',
    whenUnavailable: settings.choice('whenUnavailable', ['allow', 'refuse']) ?? 'allow',
    budget: settings.duration('budget') ?? 50,
  }));
}
