import type { ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';

/** Options of `RedisMetricsModule` are wrong, or its metrics have the names of others. Lists every problem that was found. */
export class MetricsConfigurationError extends Error {
  readonly code = 'METRICS_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    super(listProblems('RedisMetricsModule', problems));
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
