/** Milliseconds for what Keyv keeps without end: ten years. Every key of a cache has an expiry, so that Redis may evict it. */
const WITHOUT_END = 10 * 365 * 86_400_000;

/**
 * How long a cache keeps what Keyv stores, in milliseconds.
 *
 * @param ttl of Keyv: none, 0 and what is no finite number mean without end
 * @returns undefined where its time is over already
 */
export function lifetimeOf(ttl: number | undefined): number | undefined {
  if (ttl !== undefined && ttl < 0) return undefined;
  return ttl && Number.isFinite(ttl) ? Math.min(ttl, WITHOUT_END) : WITHOUT_END;
}
