import { defineScript } from '../../redis/index.js';
import type { BusParts } from '../bus-parts.js';
import type { EventType } from '../events/event-type.js';
import { GroupInUseError } from '../pubsub-errors.js';
import { orRedisError } from '../../redis/shared.js';
import { streamsOf, type TopicStreams } from './topic-streams.js';

interface RemoveGroupInput extends TopicStreams {
  readonly group: string;
}

const removeGroupScript = defineScript<RemoveGroupInput, { consumers: number; isRemoved: boolean }>({
  lua: new URL('./scripts/remove-group.lua', import.meta.url),
  keys: ({ keys, streams, group }) => [
    keys.members(group),
    keys.groups,
    keys.owners(group),
    keys.done(group),
    ...streams,
    ...streams.map((_, partition) => keys.retries(group, partition)),
  ],
  args: ({ group, streams }) => [group, streams.length],
  reply: (raw) => {
    const [consumers, removed] = raw as [number, number];
    return { consumers, isRemoved: removed === 1 };
  },
});

/**
 * Removes a group of a durable event, with all that is kept of it, save for its dead letters. Trimming waits for it no more.
 *
 * @returns whether there was such a group
 * @throws GroupInUseError while it has consumers; RedisError
 */
export async function removeGroup(parts: BusParts, type: EventType, group: string): Promise<boolean> {
  const place = await streamsOf(parts, type);
  const reply = await orRedisError(removeGroupScript.run(parts.connection.client, { ...place, group }));
  if (reply.consumers > 0) throw new GroupInUseError(type.topic, group, reply.consumers);
  return reply.isRemoved;
}
