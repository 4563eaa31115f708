import type { ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';

/** Options of `RedisMetricsModule` are wrong, or its metrics have the names of others. Lists every problem that was found. */
export class MetricsConfigurationError extends Error {
  readonly code = 'METRICS_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
