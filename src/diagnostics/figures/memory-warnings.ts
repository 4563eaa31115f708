import type { NodeFigures } from '../../inquiry/omission.js';
import type { MemoryFigures } from './reports.js';

/** Of the limit: writes are refused soon, and whoever is to prevent it needs time. */
const NEARLY_FULL = 0.8;

/** Of the limit: with a policy, keys are evicted about here. */
const FULL = 0.95;

/** Of the limit: a peak that came so close may do so again. */
const HIGH_PEAK = 0.9;

/** Bytes. What a server needs for itself makes the ratio of a smaller one high. */
const ENOUGH_TO_FRAGMENT = 64 * 1_024 * 1_024;

const FRAGMENTED = 1.5;

/** Less is resident than is used, beyond what rounding makes of it. */
const SWAPPED = 0.9;

/** Sentences for who runs the server; of several nodes, with the node's name before each. */
export function memoryWarnings(nodes: readonly NodeFigures<MemoryFigures>[]): string[] {
  const isOne = nodes.length === 1;
  return nodes.flatMap((figures) =>
    warningsOf(figures).map((warning) => (isOne ? warning : `${figures.node}: ${warning}`)),
  );
}

function warningsOf(figures: MemoryFigures): string[] {
  return [limitWarning(figures), peakWarning(figures), residentWarning(figures)].filter(
    (warning) => warning !== undefined,
  );
}

function limitWarning(figures: MemoryFigures): string | undefined {
  const { used, limit, ratio = 0, policy, canEvict, evicted } = figures;
  if (limit === undefined)
    return 'There is no limit (maxmemory is 0): it grows until the system has no memory left and ends it.';
  const full = `${percent(ratio)} of the limit of ${megabytes(limit)} is used (${megabytes(used)})`;
  if (canEvict === false) {
    const why = policy === 'noeviction' ? policy : `${policy}, and no key expires`;
    return ratio >= NEARLY_FULL
      ? `${full}, and nothing may be evicted (${why}): writes are refused once it is full.`
      : undefined;
  }
  if (ratio < FULL) return undefined;
  const soFar = evicted > 0 ? `; ${evicted} have been since it started` : '';
  return `${full}: keys are evicted to make room (${policy})${soFar}. Locks and stored events may be among them.`;
}

function peakWarning({ peak, limit, ratio = 0 }: MemoryFigures): string | undefined {
  if (limit === undefined || ratio >= NEARLY_FULL || peak < HIGH_PEAK * limit) return undefined;
  return `At its peak, ${percent(peak / limit)} of the limit of ${megabytes(limit)} was used.`;
}

function residentWarning({ used, fragmentation }: MemoryFigures): string | undefined {
  if (used < ENOUGH_TO_FRAGMENT) return undefined;
  const times = `${fragmentation.toFixed(2)} times what is used`;
  if (fragmentation > FRAGMENTED)
    return `It is fragmented: the system has given it ${times}. Active defragmentation (activedefrag) or a restart gives it back.`;
  if (fragmentation < SWAPPED)
    return `Only ${times} is in physical memory: the rest is probably swapped out, which makes it slow.`;
  return undefined;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_024 / 1_024).toFixed(1)} MB`;
}
