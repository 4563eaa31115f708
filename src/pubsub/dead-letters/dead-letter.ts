import type { DeadReason } from '../bus-events.js';
import type { Envelope } from '../events/envelope.js';
import type { EventCodec } from '../events/event-codec.js';

/** An event that could not be handled, or a message that could not be read. */
export interface DeadLetter<E = unknown> {
  /** By which the dead letters of a topic are told apart. They are ordered by it. */
  readonly id: string;
  /** Id of the event; undefined where the message cannot be read. */
  readonly eventId: string | undefined;
  /** The group that could not handle it; undefined where it was meant for every replica. Other groups may well have handled it. */
  readonly group: string | undefined;
  readonly reason: DeadReason;
  /** What the last error said. */
  readonly error: string;
  /** How often a handler was given the event; 0 where none was. */
  readonly attempts: number;
  /** By the publisher's clock; undefined where the message cannot be read. */
  readonly publishedAt: Date | undefined;
  /** By the server's clock. */
  readonly diedAt: Date;
  /** Of the event's form; undefined where the message cannot be read. */
  readonly version: number | undefined;
  /** What the event is about, if its publisher said so. */
  readonly key: string | undefined;
  /**
   * What was published, as plain JSON: it is neither checked nor an instance of the event's class, and of another form where `reason` is
   * 'invalid' or 'version'. Undefined where the message cannot be read.
   */
  readonly data: E | undefined;
  /** The message as it was received, as far as it was kept. */
  readonly raw: string;
  /** Whether the message was larger than `maxSize`, and only its beginning was kept: it cannot be replayed. */
  readonly cut: boolean;
}

/** An entry of a stream, as the driver gives it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** Reads an entry of the dead letters. Fields that are missing, in what another wrote, are taken for empty. */
export function toDeadLetter<E>([id, list]: StreamEntry, codec: Pick<EventCodec, 'parse'>): DeadLetter<E> {
  const fields = new Map<string, string>();
  for (let index = 0; index < list.length; index += 2) fields.set(list[index]!, list[index + 1]!);
  const raw = fields.get('e') ?? '';
  const cut = fields.has('cut');
  const envelope = cut ? undefined : parse(raw, codec);
  return {
    id,
    eventId: envelope?.id,
    group: fields.get('g') || undefined,
    reason: (fields.get('reason') ?? 'undecodable') as DeadReason,
    error: fields.get('error') ?? '',
    attempts: Number(fields.get('attempts')) || 0,
    publishedAt: envelope && new Date(envelope.at),
    diedAt: new Date(Number(id.slice(0, id.indexOf('-')))),
    version: envelope?.v,
    key: envelope?.key,
    data: envelope?.data as E | undefined,
    raw,
    cut,
  };
}

/** Undefined for what cannot be read. */
export function parse(raw: string, codec: Pick<EventCodec, 'parse'>): Envelope | undefined {
  try {
    return codec.parse(raw);
  } catch {
    return undefined;
  }
}
