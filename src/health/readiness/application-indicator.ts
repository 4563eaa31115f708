import type { HealthIndicatorResult } from '@nestjs/terminus';
import { SharedQuestion } from '../../timing/shared-question.js';
import { logger } from '../health-logger.js';
import type { IndicatorFunction } from '../options/health-options.js';

/** In milliseconds. What waits for a socket that is lost may never settle: the application must not be unready for ever because of that. */
const ASK_AGAIN_AFTER = 30_000;

const STATUSES: readonly unknown[] = ['up', 'degraded', 'down'];

/**
 * An indicator of the application. It is asked once for all probes that come meanwhile, and is down where it does not answer, has failed, or
 * gives what is no result of terminus. Why is told in the log once, until it answers again.
 */
export class ApplicationIndicator {
  readonly #name: string;
  readonly #ask: IndicatorFunction;
  readonly #question: SharedQuestion<HealthIndicatorResult>;
  #hasFailed = false;

  /** @param name in an answer, where it gives none */
  constructor(name: string, ask: IndicatorFunction) {
    this.#name = name;
    this.#ask = ask;
    this.#question = new SharedQuestion({
      ask: () => this.#take(),
      keepFor: 0,
      askAgainAfter: ASK_AGAIN_AFTER,
    });
  }

  /** Never rejects. @param timeout milliseconds from the moment at which it was asked, be it by another probe */
  async check(timeout: number): Promise<HealthIndicatorResult> {
    return (await this.#question.answer(timeout)) ?? this.#down('INDICATOR_TIMEOUT');
  }

  async #take(): Promise<HealthIndicatorResult> {
    try {
      const result = resultIn(await this.#ask());
      this.#hasFailed = false;
      return result;
    } catch (error) {
      // What terminus 11 has indicators throw carries their result.
      const { causes } = Object(error) as { causes?: unknown };
      if (isResult(causes)) return causes;
      this.#tell(error);
      return this.#down('INDICATOR_FAILED');
    }
  }

  #tell(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const reason = error instanceof Error ? error.stack : String(error);
    logger.error(`The indicator '${this.#name}' has failed`, reason);
  }

  #down(code: 'INDICATOR_FAILED' | 'INDICATOR_TIMEOUT'): HealthIndicatorResult {
    return { [this.#name]: { status: 'down', code } };
  }
}

/** @throws TypeError for what terminus could not read */
function resultIn(value: unknown): HealthIndicatorResult {
  if (isResult(value)) return value;
  throw new TypeError("An indicator gives entries by name, such as { disk: { status: 'up' } }");
}

function isResult(value: unknown): value is HealthIndicatorResult {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((entry: unknown) => STATUSES.includes(Object(entry).status));
}
