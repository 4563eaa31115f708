import { defineScript } from '../../redis/index.js';

export interface GroupsInput {
  readonly streams: readonly string[];
  /** How many entries are counted for a group, where the server does not know how many wait. */
  readonly most: number;
}

export interface GroupFigures {
  readonly group: string;
  readonly lag: number;
  readonly pending: number;
  /** Milliseconds since it was published. */
  readonly oldestPending: number | undefined;
}

export interface GroupsReply {
  /** The server's time, in milliseconds since 1970. */
  readonly now: number;
  /** By their names. */
  readonly groups: readonly GroupFigures[];
}

/** How far the groups of a topic are. */
export const groupsScript = defineScript<GroupsInput, GroupsReply>({
  lua: new URL('./scripts/groups.lua', import.meta.url),
  keys: ({ streams }) => streams,
  args: ({ most }) => [most],
  reply: (raw) => {
    const [time, ...groups] = raw as [string, ...[string, number, number, string][]];
    const now = Number(time);
    return {
      now,
      groups: groups.map(([group, lag, pending, oldest]) => ({
        group,
        lag,
        pending,
        oldestPending: oldest === '' ? undefined : Math.max(0, now - Number.parseInt(oldest, 10)),
      })),
    };
  },
});
