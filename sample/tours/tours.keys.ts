import { atlas } from '../atlas.keys.js';

/** String: a tour and its bookings as JSON. One key for each, so that the tours are spread over the nodes of a Cluster. */
export const tourKey = (id: string): string => atlas.key`tour:${id}`;

/** What is held by who changes a tour. */
export const tourLock = (id: string): string => `tour:${id}`;
