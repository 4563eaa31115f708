import type { Receiver, Received } from '../delivery/receiver.js';
import { ReceiverIndex } from '../delivery/receiver-index.js';
import type { Envelope } from '../events/envelope.js';
import type { EventType } from '../events/event-type.js';

/** Gives events to receivers of this process. All get the very object that was published. */
export class LocalDelivery {
  readonly #index = new ReceiverIndex();

  add(receiver: Receiver): void {
    this.#index.add(receiver);
  }

  remove(receiver: Receiver): void {
    this.#index.delete(receiver);
  }

  /** Never throws. Nobody is waited for: of a receiver that is full the oldest is dropped, unless it drops the newest. */
  publish({ topic }: EventType, event: unknown, envelope: Envelope): void {
    const received: Received = { event, envelope, isOwn: true, isLocal: true };
    for (const receiver of this.#receivers(topic)) if (!receiver.options.skipOwn) receiver.receive(received);
  }

  #receivers(topic: string): readonly Receiver[] {
    const { patterns } = this.#index;
    const receivers: readonly Receiver[] = this.#index.ofTopic(topic);
    if (patterns.length === 0) return receivers;
    const matching = patterns.filter(({ matches }) => matches(topic));
    return matching.length === 0 ? receivers : [...receivers, ...matching.map(({ receiver }) => receiver)];
  }
}
