import type { Redis } from 'ioredis';
import { RedisClosedError, toRedisError, type RedisError } from '../../redis/index.js';

/** How often a listener proves that it is alive, and how long it may take, in milliseconds. */
const HEARTBEAT = 1_000;

/** When a listener that could not be armed is tried again on a new connection, in milliseconds. */
const RETRY_DELAY = { afterFailure: 1_000, afterRefusal: 10_000 };

/** What a {@link MasterListener} tells of. */
export interface ListenerEvents {
  /** Has the server push what it is to push. Run on each new connection; what it rejects with is told by `failed`. */
  arm(client: Redis): Promise<void>;
  armed(): void;
  /** It was armed, and is not any more. */
  lost(): void;
  /** It could not be armed. It is tried again. `refusal` says why where the server does not allow it or does not know how. */
  failed(refusal: RedisError | undefined): void;
  message(channel: string, payload: unknown): void;
}

/** Keeps one connection to a master armed, and notices within two seconds that its other end is gone. */
export class MasterListener {
  readonly #client: Redis;
  readonly #on: ListenerEvents;
  readonly #undo: (() => void)[] = [];
  #armed = false;
  #connection = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(client: Redis, on: ListenerEvents) {
    this.#client = client;
    this.#on = on;
    this.#listen('ready', () => void this.#arm());
    this.#listen('close', () => this.#onClose());
    this.#listen('messageBuffer', (channel: Buffer, payload: unknown) =>
      this.#on.message(channel.toString(), payload),
    );
  }

  get armed(): boolean {
    return this.#armed;
  }

  /** Tells of nothing any more. The connection is closed by who opened it. */
  stop(): void {
    this.#disarm();
    for (const undo of this.#undo.splice(0)) undo();
  }

  async #arm(): Promise<void> {
    const connection = ++this.#connection;
    this.#beat(connection);
    try {
      await this.#on.arm(this.#client);
    } catch (error) {
      if (connection === this.#connection) this.#onFailure(error);
      return;
    }
    if (connection !== this.#connection) return;
    this.#armed = true;
    this.#on.armed();
  }

  #onFailure(error: unknown): void {
    const known = toRedisError(error);
    const refusal = known && !known.retryable && !(known instanceof RedisClosedError) ? known : undefined;
    const delay = refusal ? RETRY_DELAY.afterRefusal : RETRY_DELAY.afterFailure;
    this.#retry = setTimeout(() => this.#client.disconnect(true), delay).unref();
    this.#on.failed(refusal);
  }

  #onClose(): void {
    const wasArmed = this.#armed;
    this.#disarm();
    if (wasArmed) this.#on.lost();
    else this.#on.failed(undefined);
  }

  #disarm(): void {
    this.#armed = false;
    this.#connection++;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
  }

  /** Whatever arrives is a proof of life: the answer to a `PING` may come behind many pushes. */
  #beat(connection: number): void {
    const socket = this.#client.stream;
    let bytesRead = -1;
    const isSilent = () => socket.bytesRead === bytesRead;
    const cutIfSilent = () => {
      if (connection !== this.#connection || !isSilent()) return;
      this.#onClose();
      socket.destroy(new Error(`no answer to PING within ${HEARTBEAT} ms`));
    };
    this.#heartbeat = setInterval(() => {
      // The process itself may have been busy: what has arrived meanwhile is read before the verdict.
      if (isSilent()) return setImmediate(cutIfSilent);
      bytesRead = socket.bytesRead;
      this.#client.ping().catch(() => undefined);
    }, HEARTBEAT).unref();
  }

  #listen(
    event: 'ready' | 'close' | 'messageBuffer',
    handler: (channel: Buffer, payload: unknown) => void,
  ): void {
    this.#client.on(event as 'messageBuffer', handler);
    this.#undo.push(() => this.#client.off(event, handler));
  }
}
