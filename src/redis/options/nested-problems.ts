import { Problems } from './problems.js';

/** Adds what is wrong with options within others to the problems of those, by their path. */
export class NestedProblems extends Problems {
  readonly #outer: Problems;
  readonly #path: string;

  /** @param path of the options: `connections.sessions` */
  constructor(outer: Problems, path: string) {
    super();
    this.#outer = outer;
    this.#path = path;
  }

  override add(option: string, message: string): void {
    // What is said of the options as a whole is said of what holds them.
    this.#outer.add(option === 'options' ? this.#path : `${this.#path}.${option}`, message);
  }
}
