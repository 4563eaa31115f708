import type { Redis } from 'ioredis';

/** How often a connection is looked at, in milliseconds. */
const HEARTBEAT = 2_000;

/** After how many looks without an answer it counts as lost. A server that is busy, with a script or a fork, sends what it has when it is free. */
const PATIENCE = 3;

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
    let silent = 0;
    const look = (): void => {
      const isSilent = socket.bytesRead === bytesRead;
      silent = isSilent ? silent + 1 : 0;
      if (silent === PATIENCE && this.#how === 'ping') {
        socket.destroy(new Error(`no answer to PING within ${PATIENCE * HEARTBEAT} ms`));
        return;
      }
      // What has arrived may have done so right after the last look.
      if (!isSilent) this.#lastGood = Math.max(this.#lastGood, askedAt);
      else if (this.#how === 'keep-alive')
        this.#lastGood = Math.max(this.#lastGood, askedAt - KEEP_ALIVE_GIVES_UP);
      bytesRead = socket.bytesRead;
      askedAt = Date.now();
      if (this.#how === 'ping') this.#client.ping().catch(() => undefined);
    };
    // The process itself may have been busy: what has arrived meanwhile is read before the verdict.
    const turn = (): unknown => setImmediate(() => this.#client.stream === socket && look());
    this.#timer = setInterval(turn, HEARTBEAT).unref();
  }
}
