import { settlesBefore } from '../../timing/settles-before.js';
import type { Receiver } from '../delivery/listener.js';
import { EventBusClosedError } from '../pubsub-errors.js';
import type { Ways } from '../publishing/ways.js';
import type { Intake } from './intake.js';
import { nameOf } from './subject.js';

/** Events that reach every replica, or this process only. */
export class ListenerIntake implements Intake {
  readonly name: string;
  readonly topic: string;
  readonly group = undefined;
  readonly #receiver: Receiver;
  readonly #ways: Ways;

  constructor(name: string, receiver: Receiver, ways: Ways) {
    this.name = name;
    this.topic = nameOf(receiver.subject);
    this.#receiver = receiver;
    this.#ways = ways;
  }

  async start(): Promise<void> {
    const receiver = this.#receiver;
    const { subject } = receiver;
    const { local, broadcast, tail, known } = this.#ways;
    if ('pattern' in subject) {
      // Topics that it stands for may be of either kind.
      await broadcast.add(receiver);
      return local.add(receiver);
    }
    if (subject.delivery === 'broadcast') {
      await known.check(subject);
      return broadcast.add(receiver);
    }
    if (subject.delivery === 'durable') return tail.add(subject, receiver);
    local.add(receiver);
  }

  async stop(deadline: number): Promise<void> {
    const receiver = this.#receiver;
    // What is read already is handled; reading ends without waiting for Redis to know of it.
    const removed = this.#remove().catch(() => undefined);
    receiver.close();
    const drained = Promise.all([receiver.drained(), removed]);
    if (await settlesBefore(drained, deadline)) return;
    receiver.abort(new EventBusClosedError(`${this.name} on '${this.topic}'`));
  }

  async #remove(): Promise<void> {
    const receiver = this.#receiver;
    const { subject } = receiver;
    const { local, broadcast, tail } = this.#ways;
    local.remove(receiver);
    if ('pattern' in subject || subject.delivery === 'broadcast') return broadcast.remove(receiver);
    if (subject.delivery === 'durable') return tail.remove(receiver);
  }
}
