import type { BroadcastDelivery } from '../broadcast/broadcast-delivery.js';
import type { DurablePublisher } from '../durable/durable-publisher.js';
import type { TailDelivery } from '../durable/tail/tail-delivery.js';
import type { Trimmer } from '../durable/trimming/trimmer.js';
import type { LocalDelivery } from '../local/local-delivery.js';
import type { KnownTopics } from './known-topics.js';

/** The ways that events go. */
export interface Ways {
  readonly local: LocalDelivery;
  readonly broadcast: BroadcastDelivery;
  readonly durable: DurablePublisher;
  /** Durable events, to every replica. */
  readonly tail: TailDelivery;
  /** Of durable events. */
  readonly trimmer: Trimmer;
  /** Asked before an event is broadcast, or subscribed to. */
  readonly known: Pick<KnownTopics, 'check'>;
}
