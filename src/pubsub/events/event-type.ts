import type { Delivery, EventClass } from './event-options.js';

/** A topic, and what its events are: complete and checked. Durations are milliseconds. */
export interface EventType {
  readonly topic: string;
  /** Undefined for a topic with plain payloads. */
  readonly classRef: EventClass | undefined;
  readonly delivery: Delivery;
  readonly version: number;
  readonly upgrade: ((data: Readonly<Record<string, unknown>>, version: number) => unknown) | undefined;
  readonly key: ((event: never) => string | number | undefined) | undefined;
  readonly partitions: number;
  readonly keep: number;
  readonly retention: number;
  readonly maxLength: number | undefined;
}
