import type { Cluster } from 'ioredis';
import { mayBlock } from '../driver/may-block.js';
import type { RedisClient } from '../driver/redis-client.js';

type Send = Cluster['sendCommand'];
type Command = Parameters<Send>[0];

/** For how long a library has waited for Redis by way of one client: for a connection, or for the reply to a command. */
export class LibraryWait {
  readonly #client: RedisClient;
  /** Commands that were not answered, and when they were sent: the first has waited longest. */
  readonly #unanswered = new Map<Command, number>();
  readonly #followed = new WeakSet<Command>();
  #awaySince: number | undefined;

  constructor(client: RedisClient) {
    this.#client = client;
    const send: Send = client.sendCommand.bind(client);
    client.sendCommand = (command, pipeline, node) => {
      if (!mayBlock(command)) this.#note(command, pipeline !== undefined);
      return send(command, pipeline, node);
    };
    client.on('ready', () => (this.#awaySince = undefined));
    // What is sent again, over the next connection, is noted again.
    client.on('close', () => this.#unanswered.clear());
  }

  /** When it began, as far as that was seen; undefined while there is none. Has to be asked from time to time. */
  get since(): number | undefined {
    const { status } = this.#client;
    if (status === 'end') return undefined;
    if (status !== 'ready') return (this.#awaySince ??= performance.now());
    const [first] = this.#unanswered.values();
    return first;
  }

  #note(command: Command, isPipelined: boolean): void {
    if (!this.#unanswered.has(command)) this.#unanswered.set(command, performance.now());
    // A pipeline that is sent again has its commands settled by other functions.
    if (isPipelined || !this.#followed.has(command)) this.#follow(command);
  }

  /** By the functions that the driver settles it with: a Cluster's calls them when it does not try another node. */
  #follow(command: Command): void {
    this.#followed.add(command);
    const { resolve, reject } = command;
    command.resolve = (result) => {
      this.#unanswered.delete(command);
      resolve.call(command, result);
    };
    command.reject = (error) => {
      this.#unanswered.delete(command);
      reject.call(command, error);
    };
  }
}
