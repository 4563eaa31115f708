import { AWAY, type Away } from './away.js';
import type { KeyRequest } from './scripts.js';
import { COMMAND_BYTES } from './value-size.js';

interface Batch<Request, Reply> {
  readonly requests: Request[];
  readonly replies: Promise<readonly (Reply | Away)[] | Away>;
  readonly send: () => void;
  bytes: number;
}

type Send<Request, Reply> = (
  requests: readonly Request[],
  bytes: number,
) => Promise<readonly (Reply | Away)[] | Away>;

/**
 * Collects what is asked for in one turn of the event loop and sends it together: one command for each hash slot, with up to `limit` keys
 * and about a megabyte. A lone request leaves no later than it would by itself.
 */
export class TickBatcher<Request extends KeyRequest, Reply> {
  readonly #limit: number;
  readonly #send: Send<Request, Reply>;
  readonly #sizeOf: (request: Request) => number;
  readonly #open = new Map<number, Batch<Request, Reply>>();

  /**
   * @param send sends the requests of one slot; never rejects
   * @param sizeOf what a request adds to a command, in bytes, where that may be much
   */
  constructor(limit: number, send: Send<Request, Reply>, sizeOf: (request: Request) => number = () => 0) {
    this.#limit = limit;
    this.#send = send;
    this.#sizeOf = sizeOf;
  }

  async add(request: Request): Promise<Reply | Away> {
    const size = this.#sizeOf(request);
    const batch = this.#batch(request.slot, size);
    batch.bytes += size;
    const position = batch.requests.push(request) - 1;
    if (batch.requests.length >= this.#limit) this.#flush(request.slot, batch);
    const replies = await batch.replies;
    return replies === AWAY ? AWAY : (replies[position] as Reply | Away);
  }

  /** The batch that a request of the size is to be added to, now. */
  #batch(slot: number, size: number): Batch<Request, Reply> {
    const open = this.#open.get(slot);
    if (open && (size === 0 || open.bytes + size <= COMMAND_BYTES)) return open;
    if (open) this.#flush(slot, open);
    const requests: Request[] = [];
    let send = () => {};
    const replies = new Promise<readonly (Reply | Away)[] | Away>(
      (resolve) => (send = () => resolve(this.#send(requests, batch.bytes))),
    );
    const batch = { requests, replies, send, bytes: 0 };
    this.#open.set(slot, batch);
    process.nextTick(() => this.#flush(slot, batch));
    return batch;
  }

  #flush(slot: number, batch: Batch<Request, Reply>): void {
    if (this.#open.get(slot) === batch) this.#open.delete(slot);
    else return;
    batch.send();
  }
}
