import { type ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';
import { LockError } from '../lock-errors.js';

/** Options of the lock module, of a call or of a decorator are wrong. Lists every problem that was found. */
export class LockConfigurationError extends LockError {
  readonly code = 'LOCK_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.problems = Object.freeze([...problems]);
  }
}
