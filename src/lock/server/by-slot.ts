import { hashSlot } from '../../redis/index.js';
import type { Resource } from './resource.js';

/** How many resources one script treats at most: Redis does nothing else meanwhile. */
const MOST = 500;

/**
 * Groups for one script each: of a Cluster all in one slot.
 *
 * @param isCluster elsewhere the slots do not matter
 */
export function bySlot<T extends { readonly resource: Resource }>(
  items: readonly T[],
  isCluster: boolean,
): T[][] {
  if (!isCluster) return chunks(items);
  const slots = new Map<number, T[]>();
  for (const item of items) {
    const slot = hashSlot(item.resource.keys[0]);
    const others = slots.get(slot);
    if (others) others.push(item);
    else slots.set(slot, [item]);
  }
  return [...slots.values()].flatMap(chunks);
}

function chunks<T>(items: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < items.length; start += MOST) groups.push(items.slice(start, start + MOST));
  return groups;
}
