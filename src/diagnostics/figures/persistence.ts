import type { Redis } from 'ioredis';
import type { AskedNode } from '../inquiry/asked-node.js';
import type { Inquiry } from '../inquiry/inquiry.js';
import type { Report } from '../omission.js';
import type { PersistenceFigures } from './reports.js';
import { reportOf, sum, type Several } from './together.js';

type Status = 'ok' | 'failed';

export async function persistence(inquiry: Inquiry): Promise<Report<PersistenceFigures>> {
  return reportOf(await inquiry.ofAll(persistenceOf), together);
}

async function persistenceOf(node: AskedNode): Promise<PersistenceFigures | undefined> {
  const [info, enabled] = await Promise.all([
    node.info('persistence'),
    node.ask('CONFIG GET save', savesByItself),
  ]);
  if (!info) return undefined;
  return {
    loading: info.isSet('loading'),
    rdb: {
      enabled,
      saving: info.isSet('rdb_bgsave_in_progress'),
      lastSave: new Date(info.count('rdb_last_save_time') * 1_000),
      lastStatus: statusOf(info.text('rdb_last_bgsave_status')),
      changes: info.count('rdb_changes_since_last_save'),
    },
    aof: {
      enabled: info.isSet('aof_enabled'),
      rewriting: info.isSet('aof_rewrite_in_progress'),
      lastWriteStatus: statusOf(info.text('aof_last_write_status')),
      lastRewriteStatus: statusOf(info.text('aof_last_bgrewrite_status')),
    },
  };
}

/** Undefined where there is no such setting. */
async function savesByItself(client: Redis): Promise<boolean | undefined> {
  const [, save] = await client.config('GET', 'save');
  return save === undefined ? undefined : save !== '';
}

/** @param told `ok` or `err` */
function statusOf(told: string | undefined): Status {
  return told === 'err' ? 'failed' : 'ok';
}

function worst(statuses: readonly Status[]): Status {
  return statuses.includes('failed') ? 'failed' : 'ok';
}

function together(nodes: Several<PersistenceFigures>): PersistenceFigures {
  const [rdb, aof] = [nodes.map((node) => node.rdb), nodes.map((node) => node.aof)];
  return {
    loading: nodes.some(({ loading }) => loading),
    rdb: {
      enabled: allEnabled(rdb),
      saving: rdb.some(({ saving }) => saving),
      lastSave: new Date(Math.min(...rdb.map(({ lastSave }) => lastSave.getTime()))),
      lastStatus: worst(rdb.map(({ lastStatus }) => lastStatus)),
      changes: sum(rdb, ({ changes }) => changes),
    },
    aof: {
      enabled: aof.every(({ enabled }) => enabled),
      rewriting: aof.some(({ rewriting }) => rewriting),
      lastWriteStatus: worst(aof.map(({ lastWriteStatus }) => lastWriteStatus)),
      lastRewriteStatus: worst(aof.map(({ lastRewriteStatus }) => lastRewriteStatus)),
    },
  };
}

/** What one does not is known, whatever the others hide. */
function allEnabled(rdb: readonly PersistenceFigures['rdb'][]): boolean | undefined {
  if (rdb.some(({ enabled }) => enabled === false)) return false;
  return rdb.every(({ enabled }) => enabled) ? true : undefined;
}
