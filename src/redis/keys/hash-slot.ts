import calculateSlot from 'cluster-key-slot';

/**
 * The slot of a Cluster that a key belongs to, 0 to 16383: CRC16 of its hash tag (`{…}`) or else of all of it
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model).
 */
export function hashSlot(key: string | Buffer): number {
  return calculateSlot(key);
}

/** How many slots the keys of a Cluster are spread over: 0 to 16383. */
export const SLOT_COUNT = 16_384;
