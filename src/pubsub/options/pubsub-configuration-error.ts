import { type ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';
import { PubSubError } from '../pubsub-errors.js';

/** Options of the module, of an event, of a handler or of a call are wrong. Lists every problem that was found. */
export class PubSubConfigurationError extends PubSubError {
  readonly code = 'PUBSUB_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    super(listProblems(subject, problems));
    this.problems = Object.freeze([...problems]);
  }
}
