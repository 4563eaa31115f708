import { atlas } from '../../atlas.keys.js';

/**
 * Sets can only be intersected where they lie in one slot of a Cluster, hence the hash tag `{tags}`. All tags then lie on one node:
 * right for some thousands of tags, while for many more one would intersect in the application.
 */
export const tagKeys = {
  /** Set: tags of a city. */
  city: (id: number) => atlas.key`{tags}:city:${id}`,
  /** Set: ids of the cities that have a tag. */
  tag: (tag: string) => atlas.key`{tags}:tag:${tag}`,
  /** Set: where a query puts together its result. It exists only inside a transaction, so that all queries may share it. */
  result: atlas.key`{tags}:result`,
};
