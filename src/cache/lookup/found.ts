import type { CacheEntry } from '../entry/entry.js';
import type { LocalEntry } from '../local/local-entry.js';

/**
 * What was found under a key. `fresh` can be returned; `stale` may be served while another is made; `unsure` may be as good, but changes
 * could have been missed; `invalid` was invalidated, or is past all use; `none`; `away`: Redis could not be asked.
 */
export type FoundStatus = 'fresh' | 'stale' | 'unsure' | 'invalid' | 'none' | 'away';

export interface Found {
  readonly status: FoundStatus;
  /** Undefined for `none`, and where there is nothing to fall back on for `away`. */
  readonly entry: CacheEntry | undefined;
  readonly tier: 'local' | 'redis';
  /** The entry's place in the local tier, where it has one. */
  readonly local: LocalEntry | undefined;
  /** Token of the process that makes the value now; '' where none is known to. */
  readonly leaseToken: string;
  /** When what there is was made, where it cannot be read. */
  readonly unreadable?: number | undefined;
}

/** Nothing at all, in Redis or locally. */
export const NOTHING: Found = Object.freeze({
  status: 'none',
  entry: undefined,
  tier: 'redis',
  local: undefined,
  leaseToken: '',
});

export function foundLocally(status: FoundStatus, local: LocalEntry): Found {
  return { status, entry: local.entry, tier: 'local', local, leaseToken: '' };
}

/** Whether there is a value that can stand in where a newer one cannot be made. */
export function isServable(found: Found | undefined): found is Found & { readonly entry: CacheEntry } {
  if (!found?.entry || found.entry.kind === 'error') return false;
  return found.status === 'stale' || found.status === 'unsure';
}

/** Whether it may be served while another is made, and not only when that fails. */
export function mayBeServed(found: Found | undefined): found is Found & { readonly entry: CacheEntry } {
  return isServable(found) && found.entry.staleUntil > found.entry.freshUntil;
}
