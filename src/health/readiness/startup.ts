import type { HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { ConnectionHealthChecks } from '../connection/connection-health-checks.js';
import { indicatorResult } from '../indicator-result.js';
import { connectionKey } from './connection-key.js';
import { resultOf } from './readiness.js';

/** Nothing is looked at. */
export const FINE: HealthCheckResult = { status: 'ok', info: {}, error: {}, details: {} };

/** Whether each required connection has been ready since the start. When they have, it is so for ever. */
export class Startup {
  readonly #checks: ConnectionHealthChecks;
  readonly #health: HealthCheckService;
  readonly #indicators: HealthIndicatorService;
  #isDone = false;

  constructor(
    checks: ConnectionHealthChecks,
    health: HealthCheckService,
    indicators: HealthIndicatorService,
  ) {
    this.#checks = checks;
    this.#health = health;
    this.#indicators = indicators;
  }

  async check(): Promise<HealthCheckResult> {
    if (this.#isDone) return FINE;
    const required = this.#checks.all().filter(({ connection }) => this.#checks.isRequired(connection));
    this.#isDone = required.every(({ wasReady }) => wasReady);
    if (this.#isDone) return FINE;
    return resultOf(
      this.#health,
      required.map((check) => async () => {
        const key = connectionKey(check.connection.name);
        if (check.wasReady) return indicatorResult(this.#indicators, key, { status: 'up' });
        const code = check.away ?? 'REDIS_UNAVAILABLE';
        return indicatorResult(this.#indicators, key, { status: 'down', code });
      }),
    );
  }
}
