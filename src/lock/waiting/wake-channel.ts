import { toRedisError, type RedisClient, type RedisConnection } from '../../redis/index.js';
import type { LockServer } from '../server/lock-server.js';

/** A message of `scripts/queue.lua`. */
export interface Wake {
  readonly token: string;
  /** 0 where the token has lost the resource. */
  readonly fence: number;
  /** First key of the resource. */
  readonly state: string;
}

interface Handlers {
  wake(wake: Wake): void;
  /** Messages may have been lost. */
  gap(): void;
}

/** The channel of this process, on which it learns that one of its waiters is let in. Subscribed to when first needed. */
export class WakeChannel {
  readonly #connection: RedisConnection;
  readonly #name: string;
  readonly #handlers: Handlers;
  #subscribed: Promise<void> | undefined;
  #isReady = false;

  constructor(connection: RedisConnection, { wakes, process }: LockServer, handlers: Handlers) {
    this.#connection = connection;
    this.#name = wakes.channel + process;
    this.#handlers = handlers;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** @throws RedisError where it cannot be; it is tried again at the next call */
  subscribe(): Promise<void> {
    this.#subscribed ??= this.#subscribe().catch((error: unknown) => {
      this.#subscribed = undefined;
      throw toRedisError(error) ?? error;
    });
    return this.#subscribed;
  }

  async #subscribe(): Promise<void> {
    const subscriber = this.#connection.subscriber();
    await subscriber.subscribe(this.#name);
    this.#listen(subscriber);
    this.#isReady = true;
  }

  #listen(subscriber: RedisClient): void {
    subscriber.on('message', (channel: string, message: string) => {
      if (channel === this.#name) this.#handlers.wake(parse(message));
    });
    subscriber.on('ready', () => this.#handlers.gap());
  }
}

function parse(message: string): Wake {
  const [token, fence, ...state] = message.split(' ') as [string, string, ...string[]];
  return { token, fence: Number(fence), state: state.join(' ') };
}
