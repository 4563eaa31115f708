import type { ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';

/** Options of the module or of a check are wrong. Lists every problem that was found. */
export class HealthConfigurationError extends Error {
  readonly code = 'HEALTH_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
