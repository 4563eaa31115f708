import { atlas } from '../atlas.keys.js';

/**
 * String: the balance of an account, in cents.
 *
 * A transfer changes two accounts at once, and on a Cluster neither a transaction nor a script may reach beyond one slot. The hash tag
 * `{accounts}` puts all accounts into the same. The price is that one node carries them all: a bank with more transfers than
 * one node can do would part them by region, and move money between regions in two booked steps.
 */
export const accountKey = (id: string): string => atlas.key`{accounts}:${id}`;
