import { ChannelPublisher, eventChannels } from '../channels/event-channels.js';
import type { RevokedHolder } from './inspection/lock-inspector.js';
import type { LossReason } from './lock-errors.js';

/** What is published on `diagnostics_channel`, each kind of event on a channel of its own: `rednest:lock:acquired` and so on. */
export interface LockEvents {
  /** A lease was acquired, after so many milliseconds; `queued` if others held the resource. */
  acquired: LeaseEvent & { waited: number; queued: boolean };
  /** A lease was released by its holder, after it was held for so many milliseconds. */
  released: LeaseEvent & { held: number };
  /** A lease ended before it was released, and why. Of several resources, the one that was lost. */
  lost: LeaseEvent & { reason: LossReason };
  /** A lock was not acquired. That `tryAcquire` finds it held, or `onContention: 'skip'` without `wait`, is no failure. */
  failed: LockEvent & { waited: number; error: Error };
  /** An operator released a resource by force: who held it until then, which process was told to do it, and why. */
  revoked: LockEvent & { holders: readonly RevokedHolder[]; by: string; reason: string };
  /** This process leads, or no longer does. */
  elected: LeaseEvent;
  deposed: LeaseEvent;
}

/** What every event tells. */
export interface LockEvent {
  /** Tells apart applications of one process; see `RedisConnection.id`. */
  connectionId: string;
  /** That of `LockModule.forRoot`. */
  namespace: string;
  /** What is locked; of several resources, their names one after the other. */
  resource: string;
}

/** What every event of a lease tells. */
export interface LeaseEvent extends LockEvent {
  /** That of the lease. */
  fence: number;
}

/** Name of the `node:diagnostics_channel` for a kind of event. */
export function lockChannel(event: keyof LockEvents): string {
  return `rednest:lock:${event}`;
}

const channels = eventChannels(lockChannel, [
  'acquired',
  'released',
  'lost',
  'failed',
  'revoked',
  'elected',
  'deposed',
]);

type Identity = Pick<LockEvent, 'connectionId' | 'namespace'>;

/** Publishes what happens to the locks of a namespace. Free when nobody listens. */
export class LockEventPublisher extends ChannelPublisher<LockEvents, Identity> {
  constructor(connectionId: string, namespace: string) {
    super(channels, { connectionId, namespace });
  }
}
