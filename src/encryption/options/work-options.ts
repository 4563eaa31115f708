import { asFunction } from '../../keyspace/tell-progress.js';
import type { OptionTree, Settings } from '../../redis/shared.js';

const MOST_AT_ONCE = 10_000;

/** The options of what looks at many keys. */
export const WORK_OPTIONS = {
  concurrency: true,
  onProgress: true,
  signal: true,
} as const satisfies OptionTree;

/** Complete and checked. */
export interface ResolvedWorkOptions<Progress> {
  readonly concurrency: number;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** How many keys are worked on at a time, who is told, and what stops it. */
export function readWorkOptions<Progress>(settings: Settings): ResolvedWorkOptions<Progress> {
  const onProgress = settings.converted('onProgress', asFunction, 'a function');
  const concurrency = settings.integer('concurrency', {
    min: 1,
    max: MOST_AT_ONCE,
    expected: `a whole number from 1 to ${MOST_AT_ONCE}`,
  });
  return {
    concurrency: concurrency ?? 100,
    onProgress: onProgress as ResolvedWorkOptions<Progress>['onProgress'],
    signal: settings.signal('signal'),
  };
}
