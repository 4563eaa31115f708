import { RedisConnectionLostError, RedisTimeoutError, type RedisError } from '../redis/index.js';

/** The `code` of an error of the event bus, the same in each release: what to tell errors apart by. */
export type PubSubErrorCode =
  | 'PUBSUB_INVALID'
  | 'PUBSUB_TOO_LARGE'
  | 'PUBSUB_UNAVAILABLE'
  | 'PUBSUB_CLOSED'
  | 'PUBSUB_FULL'
  | 'PUBSUB_GROUP_IN_USE'
  | 'PUBSUB_CONFIGURATION';

/** What every error of the event bus extends. */
export abstract class PubSubError extends Error {
  abstract readonly code: PubSubErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What is wrong with a property of an event. */
export interface EventProblem {
  /** Path of the property, `address.street`; '' for the event itself. */
  readonly property: string;
  /** What class-validator says of it. Values are not shown. */
  readonly message: string;
}

/** An event is not what its class says. Nothing was published. */
export class EventInvalidError extends PubSubError {
  readonly code = 'PUBSUB_INVALID';

  constructor(
    readonly topic: string,
    readonly problems: readonly EventProblem[],
  ) {
    super(`Event '${topic}' is not valid: ${problems.map(({ message }) => message).join('; ')}`);
  }
}

/** An event is larger than `maxSize`. Nothing was published. */
export class EventTooLargeError extends PubSubError {
  readonly code = 'PUBSUB_TOO_LARGE';

  /**
   * @param size in bytes
   * @param maxSize in bytes
   */
  constructor(
    readonly topic: string,
    readonly size: number,
    readonly maxSize: number,
  ) {
    super(`Event '${topic}' has ${size} bytes; maxSize is ${maxSize}`);
  }
}

/** Redis could not be told of an event, or did not answer. */
export class EventUnavailableError extends PubSubError {
  readonly code = 'PUBSUB_UNAVAILABLE';
  /**
   * Whether the event may have been published all the same, since the answer was lost. Who publishes it again, with the same `id`, has
   * handlers with `once: true` handle it once.
   */
  readonly mayBePublished: boolean;

  constructor(
    readonly topic: string,
    readonly id: string,
    override readonly cause: RedisError,
  ) {
    const mayBePublished = cause instanceof RedisConnectionLostError || cause instanceof RedisTimeoutError;
    const doubt = mayBePublished ? ', and it may have been published all the same' : '';
    super(`Event '${topic}' could not be published${doubt}: ${cause.message}`, { cause });
    this.mayBePublished = mayBePublished;
  }
}

/** Too many events were published before the application was ready: the handlers of this process could not be waited for. */
export class EventBusFullError extends PubSubError {
  readonly code = 'PUBSUB_FULL';

  /** @param most how many may wait */
  constructor(
    readonly topic: string,
    readonly most: number,
  ) {
    super(`Event '${topic}' is not published: ${most} events wait for the application to be ready already`);
  }
}

/** A group cannot be removed: it has consumers. */
export class GroupInUseError extends PubSubError {
  readonly code = 'PUBSUB_GROUP_IN_USE';

  /** @param consumers how many replicas handle its events, or did until a moment ago */
  constructor(
    readonly topic: string,
    readonly group: string,
    readonly consumers: number,
  ) {
    super(`Group '${group}' of '${topic}' cannot be removed: it has ${consumers} consumers`);
  }
}

/** The application shuts down, or has. */
export class EventBusClosedError extends PubSubError {
  readonly code = 'PUBSUB_CLOSED';

  constructor(what: string) {
    super(`${what}: the event bus is closed`);
  }
}
