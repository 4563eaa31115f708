import type { ConfigurationProblem } from '../redis/index.js';
import { listProblems } from '../redis/shared.js';

/** Options of an adapter are wrong. Lists every problem that was found. */
export class AdapterConfigurationError extends Error {
  readonly code = 'ADAPTER_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are: `RedisSessionStore` */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
