import { type ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';
import { EncryptionError } from '../encryption-errors.js';

/** Keys or options of the encryption module are wrong, or those of a call. Lists every problem that was found; keys are never shown. */
export class EncryptionConfigurationError extends EncryptionError {
  readonly code = 'ENCRYPTION_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.problems = Object.freeze([...problems]);
  }
}
