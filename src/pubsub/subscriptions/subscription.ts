/** Events come to a handler until it is closed, or the application shuts down. */
export class Subscription implements AsyncDisposable {
  /** For logs and figures. */
  readonly name: string;
  /** Topic or pattern. */
  readonly topic: string;
  readonly #close: () => Promise<void>;

  /** @internal */
  constructor({ name, topic }: { name: string; topic: string }, close: () => Promise<void>) {
    this.name = name;
    this.topic = topic;
    this.#close = close;
  }

  /**
   * Ends it: no further event comes, and those that have come are handled. What takes more than the `shutdownTimeout` of the module is
   * told by its signal to end; of a group, it is left to other replicas. Never rejects; again, it gives the same promise.
   */
  close(): Promise<void> {
    return this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
