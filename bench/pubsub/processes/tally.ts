import type { Handle } from '../subjects/subject.js';
import { clock, type View } from '../view.js';
import type { Received, Since } from './protocol.js';

/** Milliseconds until what has not come counts as lost. */
const patience = 60_000;

/** Handlers that count what they are given. */
export class Tally {
  #handlers = 0;
  #received = 0;
  #expected = 0;
  #firstAt = 0;
  #delays: number[] = [];
  #since: Since = 'now';
  #usage = process.cpuUsage();
  #finish: (received: Received) => void = () => undefined;

  handlers(count: number): Handle[] {
    this.#handlers = count;
    return Array.from({ length: count }, (_, index) => {
      return index === 0 ? (view: View) => this.#first(view) : (view: View) => this.#count(view);
    });
  }

  async expect(messages: number, since: Since): Promise<Received> {
    this.#received = 0;
    this.#expected = messages * this.#handlers;
    this.#delays = [];
    this.#since = since;
    this.#usage = process.cpuUsage();
    const lost = setTimeout(() => {
      throw new Error(`Only ${this.#received} of ${this.#expected} calls of handlers came in time`);
    }, patience);
    const received = await new Promise<Received>((resolve) => (this.#finish = resolve));
    clearTimeout(lost);
    return received;
  }

  #first(view: View): void {
    const now = clock();
    if (this.#delays.length === 0) {
      this.#firstAt = now;
      if (this.#since === 'first call') this.#usage = process.cpuUsage();
    }
    this.#delays.push(now - view.sentAt);
    this.#count(view);
  }

  #count(view: View): void {
    this.#received += view.count;
    if (this.#received === this.#expected) this.#end();
  }

  #end(): void {
    const lastAt = clock();
    const { user, system } = process.cpuUsage(this.#usage);
    this.#finish({ firstAt: this.#firstAt, lastAt, processor: user + system, delays: this.#delays });
  }
}
