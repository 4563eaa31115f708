import { Alarm } from '../../../timing/alarm.js';
import type { BusParts } from '../../bus-parts.js';
import { messageOf } from '../../describe-error.js';
import type { EventType } from '../../events/event-type.js';
import { logger } from '../../pubsub-logger.js';
import { trimTopic } from './trim-script.js';

/** Milliseconds. */
const INTERVAL = 5_000;

/** Until the next part of what is too much for one script, in milliseconds. */
const PAUSE = 50;

/** From one stream in one script. */
const MOST = 10_000;

/** In milliseconds. Node.js has no timers for more than 24 days: what is due later is looked at again and again. */
const LONGEST_TIMER = 24 * 60 * 60 * 1_000;

/** What a topic is trimmed after: something was published or acknowledged, or what was too young then has grown old. */
type Cause = 'note' | 'keep' | 'retention';

interface Topic {
  readonly type: EventType;
  cause: Cause;
  /** `performance.now()` */
  dueAt: number;
  /** Something was published or acknowledged since it was trimmed. */
  isNoted: boolean;
  isBeingTrimmed: boolean;
}

/**
 * Removes from the streams what every group has handled, some time after this process has published or acknowledged something. Other
 * replicas may do the same at the same time: there is nothing to agree upon.
 */
export class Trimmer {
  readonly #parts: BusParts;
  readonly #interval: number;
  readonly #topics = new Map<string, Topic>();
  readonly #alarm = new Alarm(() => this.#ring());
  #isStopped = false;
  #isFailing = false;

  /** @param interval a topic is trimmed no more often, in milliseconds */
  constructor(parts: BusParts, interval = INTERVAL) {
    this.#parts = parts;
    this.#interval = interval;
  }

  /** Something was published or acknowledged. Called for each event: it does next to nothing as long as the topic's turn is to come. */
  note(type: EventType): void {
    const topic = this.#topics.get(type.topic) ?? this.#add(type);
    if (topic.isNoted || this.#isStopped) return;
    topic.isNoted = true;
    if (!topic.isBeingTrimmed) this.#plan(topic, 'note', Math.min(spread(this.#interval), timeLeft(topic)));
  }

  /** Ends it for good. What is under way is left to its end. */
  stop(): void {
    this.#isStopped = true;
    this.#alarm.clear();
  }

  #add(type: EventType): Topic {
    const topic: Topic = { type, cause: 'note', dueAt: Infinity, isNoted: false, isBeingTrimmed: false };
    this.#topics.set(type.topic, topic);
    return topic;
  }

  #plan(topic: Topic, cause: Cause, delay: number): void {
    topic.cause = cause;
    topic.dueAt = performance.now() + delay;
    this.#setAlarm(topic.dueAt);
  }

  #setAlarm(moment: number): void {
    if (!this.#isStopped) this.#alarm.setBy(Math.min(moment, performance.now() + LONGEST_TIMER));
  }

  #ring(): void {
    const now = performance.now();
    for (const topic of this.#topics.values()) if (topic.dueAt <= now) void this.#trim(topic);
    for (const { dueAt } of this.#topics.values()) if (dueAt !== Infinity) this.#setAlarm(dueAt);
  }

  async #trim(topic: Topic): Promise<void> {
    topic.dueAt = Infinity;
    topic.isNoted = false;
    topic.isBeingTrimmed = true;
    const isMore = await this.#run(topic.type);
    topic.isBeingTrimmed = false;
    if (isMore) this.#plan(topic, topic.cause, PAUSE);
    else if (topic.isNoted) this.#plan(topic, 'note', spread(this.#interval));
    else this.#planNext(topic);
  }

  /** Where nothing happens any more, what is too young now is removed when it is old enough; and what waits for a group, in the end. */
  #planNext(topic: Topic): void {
    const { keep, retention } = topic.type;
    if (topic.cause === 'note') this.#plan(topic, 'keep', spread(Math.max(keep, this.#interval)));
    else if (topic.cause === 'keep')
      this.#plan(topic, 'retention', spread(Math.max(retention, this.#interval)));
  }

  /** @returns whether there is more to remove at once */
  async #run(type: EventType): Promise<boolean> {
    try {
      const { isMore } = await trimTopic(this.#parts, type, MOST);
      this.#isFailing = false;
      return isMore;
    } catch (error) {
      this.#warn(type, error);
      return false;
    }
  }

  /** Once, until it succeeds again: it is tried anew after the next events, and until then streams are only longer. */
  #warn({ topic }: EventType, error: unknown): void {
    if (this.#isFailing || this.#isStopped) return;
    this.#isFailing = true;
    logger.warn(`The streams of '${topic}' could not be trimmed: ${messageOf(error)}`);
  }
}

function timeLeft({ dueAt }: Topic): number {
  return Math.max(0, dueAt - performance.now());
}

/** Replicas that began together do not go on together. */
function spread(milliseconds: number): number {
  return milliseconds * (1 + Math.random() / 2);
}
