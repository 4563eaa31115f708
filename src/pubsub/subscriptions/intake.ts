/** How events come to one handler: what a subscription starts and stops. */
export interface Intake {
  /** For logs and figures. */
  readonly name: string;
  /** Topic or pattern. */
  readonly topic: string;
  /** Of a group. No other intake of the process may have the same topic and group. */
  readonly group: string | undefined;
  /** Resolves when events come. It may be called again after it was rejected. @throws RedisError */
  start(): Promise<void>;
  /**
   * Lets no further event in, and waits for those that are in. Never rejects.
   *
   * @param deadline `performance.now()`: then what is unfinished is aborted
   */
  stop(deadline: number): Promise<void>;
}
