import type { SubjectName } from '../subjects/index.js';
import type { Place } from '../subjects/subject.js';

/** What a process of contenders is told. */
export type Order =
  | {
      readonly kind: 'open';
      readonly subject: SubjectName;
      readonly place: Place;
      /** Numbers of its contenders: each has think times of its own, which are the same for every subject. */
      readonly contenders: readonly number[];
    }
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' };

/** What it answers. */
export type Report =
  { readonly kind: 'opened' } | { readonly kind: 'stopped'; readonly grants: readonly Grant[] };

/** Moments of {@link now}. */
export interface Grant {
  readonly askedAt: number;
  readonly grantedAt: number;
  /** When its release was called. */
  readonly releasedAt: number;
}

/** Milliseconds of the machine's monotonic clock, which its processes share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1_000_000;
}
