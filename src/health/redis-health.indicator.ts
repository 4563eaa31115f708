import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ConnectionHealthChecks } from './connection/connection-health-checks.js';
import { indicatorResult, notRequired } from './indicator-result.js';
import type { RedisHealthOptions } from './options/health-options.js';
import { resolveCheckOptions } from './options/resolve-health-options.js';

/**
 * Checks a connection, for an application's own controller with terminus. It asks on the connection that the application uses anyway: `PING`
 * and `INFO` together, once at a time, however many probes there are.
 *
 * A connection is `down` where it does not serve, in time, what it is for; `degraded` where the server has a problem that all replicas of the
 * application share and that does not end its service: memory, persistence, replication, some slots of a Cluster.
 *
 * @example
 * @Get('ready') @HealthCheck()
 * ready() {
 *   return this.health.check([() => this.redis.check('redis'), () => this.redis.check('sessions', { connection: 'sessions', required: false })]);
 * }
 */
@Injectable()
export class RedisHealthIndicator {
  readonly #indicators: HealthIndicatorService;
  readonly #checks: ConnectionHealthChecks;

  /** @internal `RedisHealthModule` makes it. */
  constructor(indicators: HealthIndicatorService, checks: ConnectionHealthChecks) {
    this.#indicators = indicators;
    this.#checks = checks;
  }

  /**
   * Whatever Redis does, it resolves within `timeout`.
   *
   * @param key by which the result is found in the answer
   * @throws HealthConfigurationError (as a rejection) for wrong options, and a connection that does not exist
   */
  async check<const Key extends string>(
    key: Key,
    options: RedisHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const { connection, required, complete } = resolveCheckOptions(key, options);
    const check = this.#checks.get(connection, `The health check '${key}'`);
    const health = await check.check(complete(this.#checks.optionsOf(check.connection)));
    return indicatorResult(this.#indicators, key, required ? health : notRequired(health));
  }
}
