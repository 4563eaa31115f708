import { defineScript } from '../../../redis/index.js';
import type { BusParts } from '../../bus-parts.js';
import type { EventType } from '../../events/event-type.js';
import { TopicKeys } from '../topic-keys.js';
import { streamsOf, type TopicStreams } from '../topic-streams.js';

interface TrimInput extends TopicStreams {
  /** Names of groups that were seen. */
  readonly groups: readonly string[];
  /** Milliseconds, as all durations. */
  readonly keep: number;
  readonly retention: number;
  /** How many entries are removed from a stream at most: a long script would hold up everybody. */
  readonly most: number;
}

export interface TrimReply {
  readonly removed: number;
  /** Whether there may be more that can be removed now. */
  readonly isMore: boolean;
}

const trimScript = defineScript<TrimInput, TrimReply>({
  lua: new URL('./scripts/trim.lua', import.meta.url),
  keys: ({ keys, streams, groups }) => [
    keys.groups,
    ...streams,
    ...groups.map((group) => keys.members(group)),
  ],
  args: ({ keep, retention, most, groups }) => [Math.ceil(keep), Math.ceil(retention), most, ...groups],
  reply: (raw) => {
    const [removed, isMore] = raw as [number, number];
    return { removed, isMore: isMore === 1 };
  },
});

/**
 * Removes what no group of a topic needs any more.
 *
 * @param most how many entries are removed from a stream at most
 * @throws what the driver throws
 */
export async function trimTopic(parts: BusParts, type: EventType, most: number): Promise<TrimReply> {
  const { client } = parts.connection;
  const { groups } = new TopicKeys(parts.options.namespace, type.topic);
  const [place, seen] = await Promise.all([streamsOf(parts, type), client.hgetall(groups)]);
  const { keep, retention } = type;
  return trimScript.run(client, { ...place, keep, retention, most, groups: Object.keys(seen) });
}
