import { RedisError } from '../errors/redis-error.js';

/** One thing that is wrong with the options of a connection. */
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
    const lines = problems.map(({ option, message }) => `\n  - ${option}: ${message}`);
    super(`${subject} is not configured correctly:${lines.join('')}`);
    this.problems = Object.freeze([...problems]);
  }
}
