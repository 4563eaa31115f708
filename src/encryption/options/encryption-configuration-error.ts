import { type ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';
import { EncryptionError } from '../encryption-errors.js';

/** Keys or options of the encryption module are wrong, or those of a call. Lists every problem that was found; keys are never shown. */
export class EncryptionConfigurationError extends EncryptionError {
  readonly code = 'ENCRYPTION_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are: a module, or a method, with its class (`EncryptedStore.get`) */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    // A method is called, and not configured.
    super(listProblems(subject, problems, subject.includes('.') ? 'was not called correctly' : undefined));
    this.problems = Object.freeze([...problems]);
  }
}
