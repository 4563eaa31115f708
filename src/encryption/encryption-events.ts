import { ChannelPublisher, eventChannels } from '../channels/event-channels.js';
import type { EncryptionError } from './encryption-errors.js';
import type { Place } from './envelope/place.js';
import type { RotationReport } from './rotation/rotation-report.js';

/** What is published on `diagnostics_channel`, each kind of event on a channel of its own: `rednest:encryption:refused` and so on. */
export interface EncryptionEvents {
  /** Something was not decrypted. */
  refused: EncryptionPlaceNotice & { error: EncryptionError };
  /** A value was encrypted anew, under the primary key: `from` is the id of the key before, or undefined for what was not encrypted. */
  reencrypted: EncryptionPlaceNotice & { from: string | undefined; to: string };
  /** A rotation has ended, or was stopped. */
  rotated: EncryptionNotice & { report: RotationReport };
}

/** What every event tells. */
export interface EncryptionNotice {
  /** Tells apart applications of one process; see `RedisConnection.id`. */
  connectionId: string;
  /** Of the values. */
  namespace: string;
}

export interface EncryptionPlaceNotice extends EncryptionNotice {
  /** The key as the application calls it; '' for what is in no key. */
  key: string;
  /** Field of a hash; '' for the value of a key. */
  field: string;
}

/** Name of the `node:diagnostics_channel` for a kind of event. */
export function encryptionChannel(event: keyof EncryptionEvents): string {
  return `rednest:encryption:${event}`;
}

const channels = eventChannels(encryptionChannel, ['refused', 'reencrypted', 'rotated']);

/** How often each has happened since the start of the process. */
export interface EncryptionStats {
  readonly encrypted: number;
  readonly decrypted: number;
  /** Not decrypted: altered, moved, under an unknown key, or no envelope. */
  readonly refused: number;
  /** Values in Redis that were encrypted anew, under the primary key. */
  readonly reencrypted: number;
  /** Those of them that were not encrypted before. */
  readonly migrated: number;
}

/** Counts what happens, and tells of it. Telling is free when nobody listens. */
export class EncryptionEventPublisher extends ChannelPublisher<
  EncryptionEvents,
  Pick<EncryptionNotice, 'connectionId'>
> {
  readonly counts = { encrypted: 0, decrypted: 0, refused: 0, reencrypted: 0, migrated: 0 };

  constructor(connectionId: string) {
    super(channels, { connectionId });
  }

  refused({ namespace, key, field }: Place, error: EncryptionError): void {
    this.counts.refused++;
    this.publish('refused', { namespace, key, field, error });
  }
}
