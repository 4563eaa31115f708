import type { Settings } from '../../redis/shared.js';

/** A hundred years, in milliseconds. */
const LONGEST = 100 * 365.25 * 86_400_000;

/** The `ttl` of a call in whole milliseconds, as Redis counts; undefined where there is none, or a wrong one, which is reported. */
export function ttlOf(settings: Settings): number | undefined {
  const milliseconds = settings.duration('ttl', { max: LONGEST });
  return milliseconds === undefined ? undefined : Math.ceil(milliseconds);
}
