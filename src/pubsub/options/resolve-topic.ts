import { flattenOptions, type Problems, Settings, showValue } from '../../redis/shared.js';
import type { EventType } from '../events/event-type.js';
import { isTopic, TOPIC_EXPECTED } from '../events/topic.js';
import { EVENT_TREE, TOPIC_TREE } from './option-trees.js';

/** What is said of a topic, complete. */
export type ResolvedTopic = Omit<EventType, 'topic' | 'classRef'>;

/** Of a topic of which nothing is said. */
export const PLAIN_TOPIC: ResolvedTopic = Object.freeze({
  delivery: 'broadcast',
  version: 1,
  upgrade: undefined,
  key: undefined,
  partitions: 8,
  keep: 60_000,
  retention: 7 * 86_400_000,
  maxLength: undefined,
});

const MOST_PARTITIONS = 1_024;

/** Ten years. These are no timers; times in Redis may be longer. */
const LONGEST = 3_650 * 86_400_000;

const DURABLE_ONLY = ['partitions', 'keep', 'retention', 'maxLength'] as const;

/** Reports what is no topic. */
export function checkTopic(topic: unknown, problems: Problems): void {
  if (!isTopic(topic)) problems.add('topic', `${showValue(topic)} is not ${TOPIC_EXPECTED}`);
}

/** Options of a topic of the module. What is wrong with them goes to the problems. */
export function resolveTopic(options: unknown, problems: Problems): ResolvedTopic {
  return resolve(new Settings(flattenOptions(options, TOPIC_TREE, problems), problems), problems);
}

/** Options of `@Event`. What is wrong with them goes to the problems. */
export function resolveEvent(options: unknown, problems: Problems): ResolvedTopic {
  return resolve(new Settings(flattenOptions(options, EVENT_TREE, problems), problems), problems);
}

function resolve(settings: Settings, problems: Problems): ResolvedTopic {
  const given = settings.choice('delivery', ['local', 'broadcast', 'durable']);
  const delivery = given ?? PLAIN_TOPIC.delivery;
  // A delivery that is wrong is reported already, and may have been meant as durable.
  const isNotDurable = delivery !== 'durable' && (given !== undefined || !settings.has('delivery'));
  for (const option of DURABLE_ONLY) {
    if (isNotDurable && settings.has(option))
      problems.add(option, `is for durable events only, and this one is ${delivery}`);
  }
  const expected = 'a whole number from 1 on';
  return {
    delivery,
    version: settings.integer('version', { min: 1, expected }) ?? PLAIN_TOPIC.version,
    upgrade: settings.converted('upgrade', asUpgrade, 'a function'),
    key: settings.converted('key', asKeyFunction, 'a function'),
    partitions:
      settings.integer('partitions', {
        min: 1,
        max: MOST_PARTITIONS,
        expected: `a whole number from 1 to ${MOST_PARTITIONS}`,
      }) ?? PLAIN_TOPIC.partitions,
    keep: Math.ceil(settings.duration('keep', { min: 0, max: LONGEST }) ?? PLAIN_TOPIC.keep),
    retention: Math.ceil(settings.duration('retention', { max: LONGEST }) ?? PLAIN_TOPIC.retention),
    maxLength: settings.integer('maxLength', { min: 1, expected }),
  };
}

function asUpgrade(value: unknown): EventType['upgrade'] {
  return typeof value === 'function' ? (value as EventType['upgrade']) : undefined;
}

function asKeyFunction(value: unknown): EventType['key'] {
  return typeof value === 'function' ? (value as EventType['key']) : undefined;
}
