import { RedisConfigurationError, type ConfigurationProblem } from './configuration-error.js';

/** Collects what is wrong with the options of a connection, so that all of it is told at once. */
export class Problems {
  readonly #found: ConfigurationProblem[] = [];

  /** @param message without secrets: the value (masked where needed) and what is accepted */
  add(option: string, message: string): void {
    this.#found.push({ option, message });
  }

  /** @throws RedisConfigurationError when anything was added */
  throwIfAny(connectionName: string): void {
    if (this.#found.length > 0) throw new RedisConfigurationError(connectionName, this.#found);
  }
}
