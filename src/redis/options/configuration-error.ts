import { RedisError } from '../errors/redis-error.js';

/** One thing that is wrong with the options of a connection or of a module. */
export interface ConfigurationProblem {
  /** The option (`tls.caFile`) or environment variable (`REDIS_PORT`). */
  readonly option: string;
  /** The value, with secrets masked, and what is accepted. */
  readonly message: string;
}

/** Options or environment variables are wrong. Lists every problem that was found; secrets in it are masked. */
export class RedisConfigurationError extends RedisError {
  readonly code = 'REDIS_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  /** @param connection name of the connection, or undefined where an option belongs to none */
  constructor(connection: string | undefined, problems: readonly ConfigurationProblem[]) {
    const subject = connection === undefined ? 'An option' : `Redis connection '${connection}'`;
    super(listProblems(subject, problems));
    this.problems = Object.freeze([...problems]);
  }
}

/**
 * The text of an error that lists every problem.
 *
 * @param heading what is said of the subject
 */
export function listProblems(
  subject: string,
  problems: readonly ConfigurationProblem[],
  heading = 'is not configured correctly',
): string {
  const lines = problems.map(({ option, message }) => `\n  - ${option}: ${message}`);
  return `${subject} ${heading}:${lines.join('')}`;
}
