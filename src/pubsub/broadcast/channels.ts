import { hashSlot } from '../../redis/index.js';
import type { Origin } from '../delivery/dispatcher.js';
import { literalPrefix } from '../events/topic.js';
import type { Subject } from '../subscriptions/subject.js';

/** How a channel is subscribed to. */
export type SubscribeCommand = 'subscribe' | 'psubscribe' | 'ssubscribe';

/** What may be subscribed to. Two with the same name and command are the same. */
export interface Channel {
  readonly command: SubscribeCommand;
  readonly name: string;
  /** Slot of a shard channel. */
  readonly slot: number | undefined;
}

/** On which channels events are published, and which are subscribed to for them. */
export interface Channels {
  /** With which command events are published. */
  readonly publish: 'publish' | 'spublish';
  /** On which channel the events of a topic are published. */
  of(topic: string): string;
  /** What a receiver subscribes to. */
  for(subject: Subject): readonly Channel[];
  /** How a message came. @param name what was subscribed to; the pattern, for one that came by `psubscribe` */
  origin(command: SubscribeCommand, name: string, channel: string): Origin;
  /** By which origin the events of a pattern come. */
  originOf(pattern: string): string;
}

/** One channel for each topic. Redis itself tells topics apart. */
export class TopicChannels implements Channels {
  readonly publish = 'publish';
  readonly #prefix: string;

  constructor(namespace: string) {
    this.#prefix = `${namespace}:topic:`;
  }

  of(topic: string): string {
    return this.#prefix + topic;
  }

  for(subject: Subject): readonly Channel[] {
    if (!('pattern' in subject))
      return [{ command: 'subscribe', name: this.of(subject.topic), slot: undefined }];
    return [{ command: 'psubscribe', name: this.originOf(subject.pattern), slot: undefined }];
  }

  origin(command: SubscribeCommand, name: string, channel: string): Origin {
    const topic = channel.slice(this.#prefix.length);
    return { name, topic, reach: command === 'psubscribe' ? 'patterns' : 'topic' };
  }

  /** The patterns of Redis are others: it sends all that begins in the same way. Topics have no character that it gives a meaning to. */
  originOf(pattern: string): string {
    return `${this.#prefix}${literalPrefix(pattern)}*`;
  }
}

const SHARDS = 16;

/**
 * A fixed number of shard channels, on which the topics are spread: a node passes what is published on them to its own replicas only, not
 * to all nodes of the Cluster. Redis has no patterns for them.
 */
export class ShardChannels implements Channels {
  readonly publish = 'spublish';
  readonly #names: readonly string[];

  constructor(namespace: string) {
    this.#names = Array.from({ length: SHARDS }, (_, shard) => `${namespace}:{s${shard}}`);
  }

  of(topic: string): string {
    return this.#names[hashSlot(topic) % SHARDS]!;
  }

  for(subject: Subject): readonly Channel[] {
    const names = 'pattern' in subject ? this.#names : [this.of(subject.topic)];
    return names.map((name) => ({ command: 'ssubscribe', name, slot: hashSlot(name) }));
  }

  origin(_command: SubscribeCommand, name: string): Origin {
    return { name, topic: undefined, reach: 'all' };
  }

  originOf(): string {
    return '';
  }
}
