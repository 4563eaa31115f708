import { orRedisError } from '../../redis/shared.js';
import type { BusParts } from '../bus-parts.js';
import type { EventType } from '../events/event-type.js';
import { TopicKeys } from './topic-keys.js';

/** A topic's keys, and those of all its streams. */
export interface TopicStreams {
  readonly keys: TopicKeys;
  readonly streams: readonly string[];
}

/**
 * The streams of a topic: as many as this process publishes to, or another has, if that knows of more.
 *
 * @throws RedisError
 */
export async function streamsOf({ connection, options }: BusParts, type: EventType): Promise<TopicStreams> {
  const keys = new TopicKeys(options.namespace, type.topic);
  const noted = await orRedisError(connection.client.get(keys.partitions));
  const partitions = Math.max(type.partitions, Number(noted) || 0);
  return { keys, streams: Array.from({ length: partitions }, (_, partition) => keys.stream(partition)) };
}
