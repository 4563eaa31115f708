import type { Duration } from '../../redis/index.js';

/**
 * Whom an event reaches: `local`, the handlers of this process; `broadcast`, those of every replica that is connected when it is published
 * (pub/sub: at most once); `durable`, those of every group, in one replica each, at least once (a stream).
 */
export type Delivery = 'local' | 'broadcast' | 'durable';

/** A class with {@link Event}. */
export type EventClass<E extends object = object> = new (...args: never[]) => E;

/** What may be said of a topic, whether a class stands for its events or not. */
export interface TopicOptions<E = unknown> {
  /** @default 'broadcast' */
  delivery?: Delivery;
  /**
   * Of a durable event: what it is about. Events with the same key are handled one after the other, in the order in which they were
   * published. @default none: events are handled in any order
   */
  key?: (event: E) => string | number | undefined;
  /**
   * Of a durable event: how many partitions there are; at most so many replicas of a group share the work. A change mixes up the order of
   * events that are still in the streams. @default 8
   */
  partitions?: number;
  /** Of a durable event: for how long it is kept after every group has handled it, to be replayed. @default '1m' */
  keep?: Duration;
  /**
   * Of a durable event: for how long a group that nobody belongs to any more keeps events from being removed, and, before there is any
   * group, for how long events wait for one. @default '7d'
   */
  retention?: Duration;
  /**
   * Of a durable event: the most that are kept in a partition, roughly. When there are more, the oldest are lost, **whether they were
   * handled or not**. @default no limit
   */
  maxLength?: number;
}

/** What {@link Event} takes. */
export interface EventOptions<E = unknown> extends TopicOptions<E> {
  /** Of the event's form, a whole number from 1 on. Events of another version are not given to handlers. @default 1 */
  version?: number;
  /**
   * Makes what was published with another version, an object as JSON can say it, what this one is; `undefined` where that is not possible.
   * @default none can be read
   */
  upgrade?: (data: Readonly<Record<string, unknown>>, version: number) => unknown;
}
