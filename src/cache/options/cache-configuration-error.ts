import { type ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';
import { CacheError } from '../cache-errors.js';

/** Options of the cache module, or of one of its decorators, are wrong. Lists every problem that was found. */
export class CacheConfigurationError extends CacheError {
  readonly code = 'CACHE_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are: `Cache 'pages'` */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.problems = Object.freeze([...problems]);
  }
}
