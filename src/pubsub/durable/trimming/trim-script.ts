import { defineScript } from '../../../redis/index.js';
import type { TopicStreams } from '../topic-streams.js';

export interface TrimInput extends TopicStreams {
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

/** Removes what no group of a topic needs any more. */
export const trimScript = defineScript<TrimInput, TrimReply>({
  lua: new URL('./scripts/trim.lua', import.meta.url),
  keys: ({ keys, streams }) => [keys.groups, ...streams],
  args: ({ keep, retention, most }) => [Math.ceil(keep), Math.ceil(retention), most],
  reply: (raw) => {
    const [removed, isMore] = raw as [number, number];
    return { removed, isMore: isMore === 1 };
  },
});
