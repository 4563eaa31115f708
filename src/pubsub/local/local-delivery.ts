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

  /**
   * Never throws.
   *
   * @returns where a receiver with the overflow 'wait' is full: resolves when it has room. Who publishes should wait for it.
   */
  publish({ topic }: EventType, event: unknown, envelope: Envelope): Promise<void> | undefined {
    const received: Received = { event, envelope, isOwn: true, isLocal: true };
    let full: Receiver[] | undefined;
    for (const receiver of this.#receivers(topic)) {
      if (receiver.options.skipOwn) continue;
      receiver.receive(received);
      if (receiver.isFull) (full ??= []).push(receiver);
    }
    return full && Promise.all(full.map((each) => each.room())).then(() => undefined);
  }

  #receivers(topic: string): readonly Receiver[] {
    const { patterns } = this.#index;
    const receivers: readonly Receiver[] = this.#index.ofTopic(topic);
    if (patterns.length === 0) return receivers;
    const matching = patterns.filter(({ matches }) => matches(topic));
    return matching.length === 0 ? receivers : [...receivers, ...matching.map(({ receiver }) => receiver)];
  }
}
