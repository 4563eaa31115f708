import type { BusParts } from '../bus-parts.js';
import { orRedisError } from '../../redis/shared.js';
import { streamsOf } from '../durable/topic-streams.js';
import type { EventType } from '../events/event-type.js';
import { groupsScript } from './groups-script.js';

/** Where the server does not know how many events wait, no more are counted: Redis reads each, and serves nobody else meanwhile. */
const MOST_COUNTED = 1_000;

/** How far a group is with a topic. */
export interface GroupStats {
  readonly topic: string;
  readonly group: string;
  /**
   * How many events no consumer of the group was given yet. Servers before Redis 7, and later ones for a group that did not begin with the
   * first event, do not know it: then up to 1,000 are counted, and there may be more than that.
   */
  readonly lag: number;
  /** How many were given to a consumer and are not handled yet: they are being handled, or wait for another attempt. */
  readonly pending: number;
  /** For how many milliseconds the oldest of those has been in the stream, by the server's clock; undefined where there are none. */
  readonly oldestPending: number | undefined;
  /** How many replicas handle events of the group now. */
  readonly consumers: number;
}

/**
 * How far each group of each durable event is, whichever replicas handle it.
 *
 * @throws RedisError
 */
export async function readGroups(parts: BusParts, types: Iterable<EventType>): Promise<GroupStats[]> {
  const durable = Array.from(types).filter(({ delivery }) => delivery === 'durable');
  const groups = await Promise.all(durable.map((type) => readTopic(parts, type)));
  return groups.flat();
}

async function readTopic(parts: BusParts, type: EventType): Promise<GroupStats[]> {
  const { client } = parts.connection;
  const { keys, streams } = await streamsOf(parts, type);
  const { now, groups } = await groupsScript.run(client, { streams, most: MOST_COUNTED });
  return Promise.all(
    groups.map(async (figures) => ({
      topic: type.topic,
      ...figures,
      consumers: await orRedisError(client.zcount(keys.members(figures.group), `(${now}`, '+inf')),
    })),
  );
}
