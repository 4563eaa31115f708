import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { ConfigurationProblem } from '../../redis/index.js';
import type { ConnectionUser } from '../../redis/shared.js';
import { HealthConfigurationError } from '../options/health-configuration-error.js';
import type { IndicatorFunction, ReadinessIndicator } from '../options/health-options.js';
import type { ResolvedHealthOptions } from '../options/resolved-health-options.js';
import { ApplicationIndicator } from './application-indicator.js';

/** The indicators of the application: its functions, and the instances that Nest has of its classes. */
export class ApplicationIndicators implements ConnectionUser {
  readonly #modules: ModuleRef;
  readonly #options: Pick<ResolvedHealthOptions, 'indicators' | 'defaults'>;
  #indicators: readonly ApplicationIndicator[] = [];

  constructor(modules: ModuleRef, options: Pick<ResolvedHealthOptions, 'indicators' | 'defaults'>) {
    this.#modules = modules;
    this.#options = options;
  }

  /**
   * Finds the instances.
   *
   * @throws HealthConfigurationError where there is none of a class, or one without `check()`
   */
  async start(): Promise<void> {
    const problems: ConfigurationProblem[] = [];
    this.#indicators = this.#options.indicators.flatMap((indicator, index) => {
      const option = `indicators[${index}]`;
      const ask = this.#askOf(indicator);
      if (typeof ask === 'function') return new ApplicationIndicator(indicator.name || option, ask);
      problems.push({ option, message: `${indicator.name || 'the class'} ${ask.problem}` });
      return [];
    });
    if (problems.length > 0) throw new HealthConfigurationError('RedisHealthModule', problems);
  }

  async stop(): Promise<void> {}

  /** How each of them is asked, within the time that a check has. They never reject. */
  all(): (() => Promise<HealthIndicatorResult>)[] {
    const { timeout } = this.#options.defaults;
    return this.#indicators.map((indicator) => () => indicator.check(timeout));
  }

  #askOf(indicator: IndicatorFunction | Type<ReadinessIndicator>): IndicatorFunction | { problem: string } {
    const instance = this.#instanceOf(indicator);
    if (instance) {
      const { check } = instance;
      return typeof check === 'function' ? () => check.call(instance) : { problem: 'has no method check()' };
    }
    if (!isClass(indicator)) return indicator as IndicatorFunction;
    return { problem: 'must be a provider of the application, and neither request-scoped nor transient' };
  }

  #instanceOf(
    indicator: IndicatorFunction | Type<ReadinessIndicator>,
  ): Partial<ReadinessIndicator> | undefined {
    try {
      return this.#modules.get(indicator, { strict: false });
    } catch {
      return undefined; // Nest throws where there is none
    }
  }
}

function isClass(value: IndicatorFunction | Type<ReadinessIndicator>): boolean {
  const { check } = Object(value.prototype) as { check?: unknown };
  return typeof check === 'function' || /^class\b/.test(Function.prototype.toString.call(value));
}
