import type { EventClass } from '../events/event-options.js';
import type { EventType } from '../events/event-type.js';
import type { EventTypes } from '../events/event-types.js';
import { isPattern } from '../events/topic.js';

/** What may be subscribed to: a class of events, a topic, or a pattern of topics (`city.*`). */
export type SubjectLike = EventClass | string;

/** What is subscribed to. */
export type Subject = EventType | { readonly pattern: string };

/** @throws PubSubConfigurationError for a class without `@Event`, and for a text that is neither topic nor pattern */
export function subjectOf(types: EventTypes, subject: SubjectLike): Subject {
  return typeof subject === 'string' && isPattern(subject) ? { pattern: subject } : types.of(subject);
}

/** Topic or pattern. */
export function nameOf(subject: Subject): string {
  return 'pattern' in subject ? subject.pattern : subject.topic;
}
