/** What a replacement asks of the response. */
interface StatusSource {
  status(): number;
}

/** Writes a stored response in the place of the next one that is sent on the same response, once. */
export class Replacement {
  readonly #write: () => void;
  readonly #response: StatusSource;
  readonly #statusBefore: number;
  #isOver = false;

  constructor(write: () => void, response: StatusSource) {
    this.#write = write;
    this.#response = response;
    this.#statusBefore = response.status();
  }

  /** Whether it has taken the place: not of an error, which an interceptor or a filter around the cache has made. */
  run(): boolean {
    if (this.#isOver) return true;
    const status = this.#response.status();
    if (status >= 400 && status !== this.#statusBefore) return false;
    this.#isOver = true;
    this.#write();
    return true;
  }
}
