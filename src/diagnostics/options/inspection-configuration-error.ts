import { type ConfigurationProblem } from '../../redis/index.js';
import { listProblems } from '../../redis/shared.js';

/** Options of the inspector, or of one of its methods, are wrong. Lists every problem that was found. Redis was not asked. */
export class InspectionConfigurationError extends Error {
  readonly code = 'INSPECTION_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param subject whose options they are: a module, or a method, with its class (`RedisInspector.slowLog`) */
  constructor(subject: string, problems: readonly ConfigurationProblem[]) {
    // A method is called, and not configured.
    super(listProblems(subject, problems, subject.includes('.') ? 'was not called correctly' : undefined));
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
