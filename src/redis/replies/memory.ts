import type { Info } from './info.js';

/** What `INFO` tells of memory. Sizes are bytes; what a server does not tell is undefined. */
export interface MemoryReading {
  readonly used: number | undefined;
  /** `maxmemory`; undefined also where there is no limit. */
  readonly limit: number | undefined;
  /** Which part of the limit is used, as the server itself compares them; undefined without a limit. */
  readonly ratio: number | undefined;
  readonly policy: string | undefined;
}

/** @param info the section `memory`, or all of them */
export function readMemory(info: Info): MemoryReading {
  const used = info.number('used_memory');
  const limit = info.number('maxmemory') || undefined;
  // Buffers of replicas and of the append-only file: the server does not count them either when it looks whether it is full.
  const uncounted = info.count('mem_not_counted_for_evict');
  return {
    used,
    limit,
    ratio: used === undefined || limit === undefined ? undefined : Math.max(0, used - uncounted) / limit,
    policy: info.text('maxmemory_policy'),
  };
}

/** Whether a policy chooses among keys that expire: where none does, it comes to `noeviction`. */
export function evictsExpiring(policy: string | undefined): boolean {
  return policy?.startsWith('volatile-') === true;
}

/**
 * Whether there is anything that the policy lets the server evict.
 *
 * @param keyspace the section `keyspace`, or all of them; undefined where it is not known
 * @returns undefined where the policy asks for keys that expire, and whether there are any is not known
 */
export function canEvict(policy: string | undefined, keyspace: Info | undefined): boolean | undefined {
  if (!evictsExpiring(policy)) return policy?.startsWith('allkeys-') === true;
  return keyspace?.records(/^(db\d+)$/).some(({ record }) => record.count('expires') > 0);
}
