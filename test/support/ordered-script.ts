import { ChildScript } from './child-script.js';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

type Options = ConstructorParameters<typeof ChildScript>[2];

/** How an order came out. */
export interface Reply<Failure> {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: Failure;
}

/** What a script sends: that it is loaded, how orders came out, and what else it has to tell. */
export type FromScript<Failure, Told = never> = { readonly ready: true } | Reply<Failure> | Told;

export interface OrderedScriptParts<Failure, Told> {
  readonly script: URL;
  readonly options?: Options;
  /** What is thrown for what a script has failed at. */
  readonly errorOf: (failure: Failure) => Error;
  readonly told?: (message: Told) => void;
}

/** A script in a process of its own that does what it is told. What it is asked for is rejected when it fails, or when the process ends. */
export class OrderedScript<Order, Failure, Told = never> {
  readonly child: ChildScript<unknown, FromScript<Failure, Told>>;
  readonly ready: Promise<void>;
  readonly #errorOf: (failure: Failure) => Error;
  readonly #told: ((message: Told) => void) | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #onReady = (): void => undefined;
  #lastId = 0;

  constructor({ script, options, errorOf, told }: OrderedScriptParts<Failure, Told>) {
    this.#errorOf = errorOf;
    this.#told = told;
    const loaded = new Promise<void>((resolve) => (this.#onReady = resolve));
    this.child = new ChildScript(script, (message) => this.#receive(message), options);
    const ended = this.child.end().then(() => this.#ended());
    this.ready = Promise.race([loaded, ended]);
    this.ready.catch(() => undefined);
  }

  async follow<T>(order: Order): Promise<T> {
    await this.ready;
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      if (!this.child.send({ id, order })) reject(this.#endError());
    });
  }

  #receive(message: FromScript<Failure, Told>): void {
    if ('ready' in (message as object)) return this.#onReady();
    if (!('id' in (message as object))) return this.#told?.(message as Told);
    const { id, result, failure } = message as Reply<Failure>;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure === undefined) waiting?.resolve(result);
    else waiting?.reject(this.#errorOf(failure));
  }

  #ended(): never {
    for (const waiting of this.#waiting.values()) waiting.reject(this.#endError());
    this.#waiting.clear();
    throw this.#endError();
  }

  #endError(): Error {
    return new Error(`The process has ended:\n${this.child.output}`);
  }
}
