import type { Socket } from 'node:net';

/** Faults of one direction, and what has gone through it; shared by all connections of a proxy. */
export interface LaneState {
  /** Milliseconds by which everything arrives later. */
  delay: number;
  swallow: boolean;
  passed: number;
  swallowed: number;
}

/** One direction of one connection: carries bytes, and the end of the stream, from one socket to the other. */
export class ProxyLane {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #state: LaneState;
  /** What is on its way, in order: `due` never decreases, also when the delay does. */
  #queue: { due: number; deliver: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #withheldClose: (() => void) | undefined;

  constructor(source: Socket, target: Socket, state: LaneState) {
    this.#source = source;
    this.#target = target;
    this.#state = state;
    source.on('data', (chunk: Buffer) => this.#receive(chunk));
    source.once('end', () => this.#close(() => target.end()));
    source.once('error', () => this.#close(() => target.destroy()));
    source.once('close', () => this.#close(() => target.end()));
    target.once('close', () => clearTimeout(this.#timer));
    target.on('drain', () => source.resume());
  }

  /** Delivers at once what is delayed, and the close that was withheld while bytes vanished. */
  flush(): void {
    clearTimeout(this.#timer);
    for (const { deliver } of this.#queue.splice(0)) deliver();
    this.#withheldClose?.();
    this.#withheldClose = undefined;
  }

  #receive(chunk: Buffer): void {
    if (this.#state.swallow) {
      this.#state.swallowed += chunk.length;
      return;
    }
    this.#enqueue(() => this.#write(chunk));
  }

  #close(close: () => void): void {
    // Whoever is on the other side of a black hole does not learn that the connection is closed either.
    if (this.#state.swallow) this.#withheldClose = close;
    else this.#enqueue(close);
  }

  #enqueue(deliver: () => void): void {
    if (this.#target.destroyed) return;
    const due = Math.max(performance.now() + this.#state.delay, this.#queue.at(-1)?.due ?? 0);
    this.#queue.push({ due, deliver });
    if (this.#queue.length === 1) this.#deliverDue();
  }

  #deliverDue(): void {
    const now = performance.now();
    for (let next = this.#queue[0]; next && next.due <= now; next = this.#queue[0]) {
      this.#queue.shift();
      next.deliver();
    }
    const [next] = this.#queue;
    if (next) this.#timer = setTimeout(() => this.#deliverDue(), next.due - now);
  }

  #write(chunk: Buffer): void {
    if (!this.#target.writable) return;
    this.#state.passed += chunk.length;
    if (!this.#target.write(chunk)) this.#source.pause();
  }
}
