import { atlas } from '../atlas.keys.js';

/** An id moves from list to list, and is taken off together with the write of its result: one slot of a Cluster, `{work}`. */
export const workKeys = {
  /** List: ids that wait, the next one at the right end. */
  queue: atlas.key`{work}:queue`,
  /** List: ids that a worker has taken and not finished. */
  processing: atlas.key`{work}:processing`,
  /** Hash: what is to be done, how far it is, and the result. */
  item: (id: string) => atlas.key`{work}:item:${id}`,
  /** Channel: ids of what has been finished. */
  finished: atlas.key`{work}:finished`,
};
