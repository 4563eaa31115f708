import type { RedisError } from '../redis/index.js';

/** What a report leaves out, and why: the rest of it stands. */
export interface Omission {
  /** What is missing, by the command that would have told: `'INFO memory'`, `'SLOWLOG GET'`. */
  readonly part: string;
  /** Where; see {@link NodeFigures}. */
  readonly node: string;
  /** `'not available'`: the server does not have the command, whoever runs it has disabled it, or it refuses for now, as `error` tells. */
  readonly reason: 'not permitted' | 'not available' | 'unreachable';
  readonly error: RedisError;
}

/** Figures of one node. */
export type NodeFigures<Figures> = Figures & {
  /** `host:port` of a Cluster's master; the name of the connection elsewhere. */
  readonly node: string;
};

/** In the place of figures that no node could give. */
export type NoFigures<Figures> = { readonly [Name in keyof Figures]?: undefined };

/**
 * Figures of all nodes together, and of each. Where no node could give any, all of them are undefined, `nodes` is empty, and `omitted`
 * says why.
 *
 * @example
 * const memory = await inspector.memory();
 * if (memory.used === undefined) throw memory.omitted[0]?.error;
 */
export type Report<Figures> = (Figures | NoFigures<Figures>) & {
  readonly nodes: readonly NodeFigures<Figures>[];
  readonly omitted: readonly Omission[];
};
