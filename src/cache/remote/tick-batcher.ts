import { AWAY, type Away } from './away.js';
import type { KeyRequest } from './scripts.js';

interface Batch<Request, Reply> {
  readonly requests: Request[];
  readonly replies: Promise<readonly Reply[] | Away>;
  readonly send: () => void;
}

/**
 * Collects what is asked for in one turn of the event loop and sends it together: one command for each hash slot, with up to `limit` keys.
 * A lone request leaves no later than it would by itself.
 */
export class TickBatcher<Request extends KeyRequest, Reply> {
  readonly #limit: number;
  readonly #send: (requests: readonly Request[]) => Promise<readonly Reply[] | Away>;
  readonly #open = new Map<number, Batch<Request, Reply>>();

  /** @param send sends the requests of one slot; never rejects */
  constructor(limit: number, send: (requests: readonly Request[]) => Promise<readonly Reply[] | Away>) {
    this.#limit = limit;
    this.#send = send;
  }

  async add(request: Request): Promise<Reply | Away> {
    const batch = this.#batch(request.slot);
    const position = batch.requests.push(request) - 1;
    if (batch.requests.length >= this.#limit) this.#flush(request.slot, batch);
    const replies = await batch.replies;
    return replies === AWAY ? AWAY : (replies[position] as Reply);
  }

  #batch(slot: number): Batch<Request, Reply> {
    const open = this.#open.get(slot);
    if (open) return open;
    const requests: Request[] = [];
    let send = () => {};
    const replies = new Promise<readonly Reply[] | Away>(
      (resolve) => (send = () => resolve(this.#send(requests))),
    );
    const batch = { requests, replies, send };
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
