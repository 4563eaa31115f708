import { RedisConfigurationError, type ConfigurationProblem } from './configuration-error.js';

/** Collects what is wrong with options, so that all of it is told at once. */
export class Problems {
  readonly #found: ConfigurationProblem[] = [];

  /** @param message without secrets: the value (masked where needed) and what is accepted */
  add(option: string, message: string): void {
    this.#found.push({ option, message });
  }

  /** @throws RedisConfigurationError when anything was added */
  throwIfAny(connectionName: string): void {
    this.throwAs((found) => new RedisConfigurationError(connectionName, found));
  }

  /** @throws what `toError` makes when anything was added */
  throwAs(toError: (found: readonly ConfigurationProblem[]) => Error): void {
    if (this.#found.length > 0) throw toError(this.#found);
  }
}
