import { ServiceUnavailableException } from '@nestjs/common';
import type {
  HealthCheckResult,
  HealthCheckService,
  HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import type { ConnectionHealthCheck } from '../connection/connection-health-check.js';
import type { ConnectionHealthChecks } from '../connection/connection-health-checks.js';
import type { FeatureHealth } from '../features/feature-health.js';
import type { Health } from '../health.js';
import { indicatorResult, notRequired } from '../indicator-result.js';
import type { ResolvedHealthOptions } from '../options/resolved-health-options.js';
import type { ApplicationIndicators } from './application-indicators.js';
import { connectionKey } from './connection-key.js';
import { VerdictLog } from './verdict-log.js';

/** What {@link Readiness} is made of. */
export interface ReadinessParts {
  readonly options: ResolvedHealthOptions;
  readonly checks: ConnectionHealthChecks;
  readonly features: FeatureHealth;
  /** Of the application. */
  readonly own: ApplicationIndicators;
  readonly health: HealthCheckService;
  readonly indicators: HealthIndicatorService;
}

/** All that is shown without details. */
interface Brief<Status, Code> {
  readonly status: Status;
  readonly code?: Code;
}

/** Whether the application can do its work: its connections, the modules of rednest that it has imported, and its own indicators. */
export class Readiness {
  readonly #parts: ReadinessParts;
  readonly #log = new VerdictLog();
  #isShuttingDown = false;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** From now on, it is not ready. */
  shutDown(): void {
    this.#isShuttingDown = true;
  }

  /** The result of terminus, whatever it is. */
  async check(): Promise<HealthCheckResult> {
    const { checks, features, own, health } = this.#parts;
    const result = await resultOf(health, [
      ...checks.all().map((check) => () => this.#connection(check)),
      ...Array.from(
        features.checks(),
        ([key, check]) =>
          async () =>
            this.#result(key, await check()),
      ),
      ...own.all().map((ask) => async () => this.#shown(await ask())),
    ]);
    if (this.#isShuttingDown) return { ...result, status: 'shutting_down' };
    this.#log.note(result);
    return result;
  }

  async #connection(check: ConnectionHealthCheck): Promise<HealthIndicatorResult> {
    const { checks } = this.#parts;
    const { connection } = check;
    const health = await check.check(checks.optionsOf(connection));
    return this.#result(
      connectionKey(connection.name),
      checks.isRequired(connection) ? health : notRequired(health),
    );
  }

  #result(key: string, health: Health): HealthIndicatorResult {
    const { options, indicators } = this.#parts;
    return indicatorResult(indicators, key, options.details ? health : briefly(health));
  }

  /** Of an indicator of the application, whose texts of errors are not for who asks, either. */
  #shown(result: HealthIndicatorResult): HealthIndicatorResult {
    const { options, indicators } = this.#parts;
    const shown = Object.entries(result).map(([key, entry]) => {
      const { status, ...details } = options.details ? entry : briefly(entry);
      return indicatorResult(indicators, key, { status, details });
    });
    return Object.assign({}, ...shown) as HealthIndicatorResult;
  }
}

function briefly<Status, Code>({ status, code }: Brief<Status, Code>): Brief<Status, Code> {
  return { status, ...(typeof code === 'string' && { code }) };
}

/** Terminus throws a result that is not a good one. */
export async function resultOf(
  health: HealthCheckService,
  indicators: (() => Promise<HealthIndicatorResult>)[],
): Promise<HealthCheckResult> {
  try {
    return await health.check(indicators);
  } catch (error) {
    if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
    throw error;
  }
}
