import { ChannelPublisher, eventChannels } from '../channels/event-channels.js';
import type { Delivery } from './events/event-options.js';
import type { UnreadableReason } from './events/envelope.js';
import type { EventGap } from './delivery/event-handler.js';

/** What is published on `diagnostics_channel`, each kind of event on a channel of its own: `rednest:pubsub:published` and so on. */
export interface BusEvents {
  /** Redis has it, after so many milliseconds; of a local event, the handlers have it. */
  published: EventNotice & { delivery: Delivery; size: number; took: number };
  /** Not published. */
  rejected: BusNotice & { delivery: Delivery; error: Error };
  /** A handler has handled it, within so many milliseconds. */
  handled: HandlerNotice & { took: number };
  /** A handler has failed. */
  failed: HandlerNotice & { took: number; error: unknown };
  /** It is handled again, in so many milliseconds. */
  retried: HandlerNotice & { delay: number };
  /** It went to the dead letters. */
  dead: BusNotice & { id: string | undefined; group: string | undefined; reason: DeadReason; error: string };
  /** Events may have been missed, or were dropped. */
  gap: BusNotice & { handler: string; gap: EventGap };
  /** This process has got a partition of a group, or has lost it. */
  partition: BusNotice & { group: string; partition: number; change: 'acquired' | 'released' | 'lost' };
}

/** Why an event went to the dead letters: it could not be given to handlers, or failed too often. */
export type DeadReason = UnreadableReason | 'failed';

/** What every event tells. */
export interface BusNotice {
  /** Tells apart applications of one process; see `RedisConnection.id`. */
  connectionId: string;
  /** That of `PubSubModule.forRoot`. */
  namespace: string;
  topic: string;
}

export interface EventNotice extends BusNotice {
  /** That of the event. */
  id: string;
}

export interface HandlerNotice extends EventNotice {
  handler: string;
  group: string | undefined;
  attempt: number;
}

/** Name of the `node:diagnostics_channel` for a kind of event. */
export function pubsubChannel(event: keyof BusEvents): string {
  return `rednest:pubsub:${event}`;
}

const channels = eventChannels(pubsubChannel, [
  'published',
  'rejected',
  'handled',
  'failed',
  'retried',
  'dead',
  'gap',
  'partition',
]);

/** Looked at for each event that is handled. */
const { handled, failed } = channels;

type Identity = Pick<BusNotice, 'connectionId' | 'namespace'>;

/** How often each has happened since the start of the process. */
export type BusCounts = Record<
  'published' | 'rejected' | 'handled' | 'failed' | 'retried' | 'dead' | 'dropped' | 'gaps',
  number
>;

/** Counts what happens to events, and tells of it. Telling is free when nobody listens. */
export class BusEventPublisher extends ChannelPublisher<BusEvents, Identity> {
  readonly counts: BusCounts = {
    published: 0,
    rejected: 0,
    handled: 0,
    failed: 0,
    retried: 0,
    dead: 0,
    dropped: 0,
    gaps: 0,
  };

  constructor(connectionId: string, namespace: string) {
    super(channels, { connectionId, namespace });
  }

  /** Whether anybody wants to know what handlers do. */
  get watchesHandlers(): boolean {
    return handled.hasSubscribers || failed.hasSubscribers;
  }
}
