import type { Redis } from 'ioredis';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { PersistenceFigures } from './reports.js';
import { readPersistence, worstStatus } from '../../redis/shared.js';
import { everywhere, reportOf, sum, type Several } from '../../inquiry/together.js';

export async function persistence(inquiry: Inquiry): Promise<Report<PersistenceFigures>> {
  return reportOf(await inquiry.ofAll(persistenceOf), together);
}

async function persistenceOf(node: AskedNode): Promise<PersistenceFigures | undefined> {
  const [info, enabled] = await Promise.all([
    node.info('persistence'),
    node.ask('CONFIG GET save', savesByItself),
  ]);
  if (!info) return undefined;
  const { loading, rdb, aof } = readPersistence(info);
  return {
    loading,
    rdb: {
      ...rdb,
      enabled,
      lastSave: new Date(info.count('rdb_last_save_time') * 1_000),
      changes: info.count('rdb_changes_since_last_save'),
    },
    aof: { ...aof, enabled: aof.enabled === true },
  };
}

/** Undefined where there is no such setting. */
async function savesByItself(client: Redis): Promise<boolean | undefined> {
  const [, save] = await client.config('GET', 'save');
  return save === undefined ? undefined : save !== '';
}

function together(nodes: Several<PersistenceFigures>): PersistenceFigures {
  const [rdb, aof] = [nodes.map((node) => node.rdb), nodes.map((node) => node.aof)];
  return {
    loading: nodes.some(({ loading }) => loading),
    rdb: {
      enabled: everywhere(rdb.map(({ enabled }) => enabled)),
      saving: rdb.some(({ saving }) => saving),
      lastSave: new Date(Math.min(...rdb.map(({ lastSave }) => lastSave.getTime()))),
      lastStatus: worstStatus(rdb.map(({ lastStatus }) => lastStatus)),
      changes: sum(rdb, ({ changes }) => changes),
    },
    aof: {
      enabled: aof.every(({ enabled }) => enabled),
      rewriting: aof.some(({ rewriting }) => rewriting),
      lastWriteStatus: worstStatus(aof.map(({ lastWriteStatus }) => lastWriteStatus)),
      lastRewriteStatus: worstStatus(aof.map(({ lastRewriteStatus }) => lastRewriteStatus)),
    },
  };
}
