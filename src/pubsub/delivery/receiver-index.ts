import type { EventType } from '../events/event-type.js';
import { matcher } from '../events/topic.js';
import type { Receiver } from './receiver.js';

/** A receiver of a topic. */
export type TopicReceiver = Receiver & { readonly subject: EventType };

/** A receiver of a pattern. */
export interface PatternReceiver {
  readonly receiver: Receiver;
  readonly pattern: string;
  readonly matches: (topic: string) => boolean;
}

const NONE: readonly never[] = [];

/** Finds the receivers of a topic. Its lists are never changed but replaced: they may be walked while receivers come and go. */
export class ReceiverIndex {
  readonly #byTopic = new Map<string, readonly TopicReceiver[]>();
  #patterns: readonly PatternReceiver[] = NONE;

  get isEmpty(): boolean {
    return this.#byTopic.size === 0 && this.#patterns.length === 0;
  }

  get patterns(): readonly PatternReceiver[] {
    return this.#patterns;
  }

  ofTopic(topic: string): readonly TopicReceiver[] {
    return this.#byTopic.get(topic) ?? NONE;
  }

  add(receiver: Receiver): void {
    const { subject } = receiver;
    if ('pattern' in subject) {
      const { pattern } = subject;
      this.#patterns = [...this.#patterns, { receiver, pattern, matches: matcher(pattern) }];
    } else this.#byTopic.set(subject.topic, [...this.ofTopic(subject.topic), receiver as TopicReceiver]);
  }

  delete(receiver: Receiver): void {
    const { subject } = receiver;
    if ('pattern' in subject) {
      this.#patterns = this.#patterns.filter((each) => each.receiver !== receiver);
      return;
    }
    const others = this.ofTopic(subject.topic).filter((each) => each !== receiver);
    if (others.length > 0) this.#byTopic.set(subject.topic, others);
    else this.#byTopic.delete(subject.topic);
  }
}
