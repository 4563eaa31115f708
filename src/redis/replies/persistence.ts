import type { Info } from './info.js';

/** How something went; undefined where the server does not tell. */
export type WriteStatus = 'ok' | 'failed' | undefined;

/** What `INFO persistence` tells. What a server does not tell is undefined. */
export interface PersistenceReading {
  /** Whether it reads its data set, and answers nothing else meanwhile. */
  readonly loading: boolean;
  readonly rdb: {
    readonly saving: boolean;
    /** `ok` too where no snapshot was made yet. */
    readonly lastStatus: WriteStatus;
  };
  readonly aof: {
    readonly enabled: boolean | undefined;
    readonly rewriting: boolean;
    readonly lastWriteStatus: WriteStatus;
    readonly lastRewriteStatus: WriteStatus;
  };
}

/** @param info the section `persistence`, or all of them */
export function readPersistence(info: Info): PersistenceReading {
  const enabled = info.number('aof_enabled');
  return {
    loading: info.isSet('loading'),
    rdb: {
      saving: info.isSet('rdb_bgsave_in_progress'),
      lastStatus: statusOf(info.text('rdb_last_bgsave_status')),
    },
    aof: {
      enabled: enabled === undefined ? undefined : enabled === 1,
      rewriting: info.isSet('aof_rewrite_in_progress'),
      lastWriteStatus: statusOf(info.text('aof_last_write_status')),
      lastRewriteStatus: statusOf(info.text('aof_last_bgrewrite_status')),
    },
  };
}

/** Of several: failed if one has, undefined if none is known. */
export function worstStatus<Status extends string | undefined>(
  statuses: readonly Status[],
): Status | undefined {
  return statuses.find((status) => status === 'failed') ?? statuses.find((status) => status !== undefined);
}

function statusOf(told: string | undefined): WriteStatus {
  if (told === undefined) return undefined;
  return told === 'ok' ? 'ok' : 'failed';
}
