import { channel, type Channel } from 'node:diagnostics_channel';

/** A `node:diagnostics_channel` for each kind of event. */
export type EventChannels<Name extends string> = Readonly<Record<Name, Channel>>;

/** @param nameOf the channel of a kind of event */
export function eventChannels<Name extends string>(
  nameOf: (event: Name) => string,
  events: readonly Name[],
): EventChannels<Name> {
  const entries = events.map((event) => [event, channel(nameOf(event))] as const);
  return Object.fromEntries(entries) as Record<Name, Channel>;
}

/** Publishes events with what is the same for all of one publisher. Free when nobody listens. */
export class ChannelPublisher<Events extends { [Name in keyof Events]: Identity }, Identity extends object> {
  readonly #channels: EventChannels<keyof Events & string>;
  readonly #identity: Identity;

  /** @param identity what each of its events has */
  constructor(channels: EventChannels<keyof Events & string>, identity: Identity) {
    this.#channels = channels;
    this.#identity = identity;
  }

  /** Whether anybody listens. */
  has(event: keyof Events & string): boolean {
    return this.#channels[event].hasSubscribers;
  }

  publish<Name extends keyof Events & string>(
    event: Name,
    details: Omit<Events[Name], keyof Identity>,
  ): void {
    const its = this.#channels[event];
    if (its.hasSubscribers) its.publish({ ...this.#identity, ...details });
  }
}
