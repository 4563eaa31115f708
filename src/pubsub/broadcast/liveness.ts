import type { Redis } from 'ioredis';

/** How often a connection is looked at, and how long it may take to answer, in milliseconds. */
const HEARTBEAT = 2_000;

/** After how much silence the system asks the other end, and when it gives up, in milliseconds. */
const KEEP_ALIVE = 10_000;
const KEEP_ALIVE_GIVES_UP = 2 * KEEP_ALIVE;

/**
 * Notices that the other end of a connection that only listens has vanished, and knows when it was last there. With 'ping' it is asked; with
 * 'keep-alive' the system does so, for connections that are not read at times, where no answer means nothing.
 */
export class Liveness {
  readonly #client: Redis;
  readonly #how: 'ping' | 'keep-alive';
  #timer: NodeJS.Timeout | undefined;
  #lastGood = Date.now();

  constructor(client: Redis, how: 'ping' | 'keep-alive') {
    this.#client = client;
    this.#how = how;
  }

  /** In milliseconds since 1970. */
  get lastGood(): number {
    return this.#lastGood;
  }

  /** On each new connection. */
  start(): void {
    this.stop();
    this.#lastGood = Date.now();
    if (this.#how === 'keep-alive') this.#client.stream.setKeepAlive(true, KEEP_ALIVE);
    this.#watch(this.#client.stream);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #watch(socket: Redis['stream']): void {
    let bytesRead = -1;
    let askedAt = Date.now();
    const look = (): void => {
      const isSilent = socket.bytesRead === bytesRead;
      if (isSilent && this.#how === 'ping') {
        socket.destroy(new Error(`no answer to PING within ${HEARTBEAT} ms`));
        return;
      }
      // What has arrived may have done so right after the last look.
      const known = this.#how === 'ping' || !isSilent ? askedAt : askedAt - KEEP_ALIVE_GIVES_UP;
      this.#lastGood = Math.max(this.#lastGood, known);
      bytesRead = socket.bytesRead;
      askedAt = Date.now();
      if (this.#how === 'ping') this.#client.ping().catch(() => undefined);
    };
    // The process itself may have been busy: what has arrived meanwhile is read before the verdict.
    const turn = (): unknown => setImmediate(() => this.#client.stream === socket && look());
    this.#timer = setInterval(turn, HEARTBEAT).unref();
  }
}
