import type { AskedNode } from '../inquiry/asked-node.js';
import type { Info, InfoRecord } from '../../redis/shared.js';
import type { Inquiry } from '../inquiry/inquiry.js';
import type { Report } from '../omission.js';
import type { MasterLink, ReplicaFigures, ReplicationFigures } from './reports.js';
import { reportOf } from './together.js';

export async function replication(inquiry: Inquiry): Promise<Report<ReplicationFigures>> {
  const answers = await inquiry.ofAll(replicationOf);
  return reportOf(answers, ([first, ...others]) => ({
    ...figuresOnly(first),
    replicas: [first, ...others].flatMap(({ replicas }) => replicas),
  }));
}

function figuresOnly({ role, link }: ReplicationFigures): Pick<ReplicationFigures, 'role' | 'link'> {
  return { role, ...(link && { link }) };
}

async function replicationOf(node: AskedNode): Promise<ReplicationFigures | undefined> {
  const info = await node.info('replication');
  if (!info) return undefined;
  const offset = info.count('master_repl_offset');
  const replicas = info.records(/^slave(\d+)$/).map(({ record }) => replicaOf(record, offset));
  if (info.text('role') === 'master') return { role: 'master', replicas };
  return { role: 'replica', link: linkOf(info), replicas };
}

/** @param offset of what the master has sent */
function replicaOf(record: InfoRecord, offset: number): ReplicaFigures {
  return {
    replica: `${record.text('ip') ?? ''}:${record.text('port') ?? ''}`,
    state: record.text('state') ?? 'unknown',
    behind: Math.max(0, offset - record.count('offset')),
    lastHeard: record.count('lag') * 1_000,
  };
}

function linkOf(info: Info): MasterLink {
  const seconds = info.number('master_last_io_seconds_ago');
  return {
    state: info.text('master_link_status') === 'up' ? 'up' : 'down',
    // -1 where there is no link.
    lastHeard: seconds === undefined || seconds < 0 ? undefined : seconds * 1_000,
    syncing: info.isSet('master_sync_in_progress'),
    behind: behind(info),
  };
}

function behind(info: Info): number | undefined {
  const left = info.number('master_sync_left_bytes');
  // Negative while it is not known how much there is.
  if (left !== undefined && left >= 0) return left;
  const [read, applied] = [info.number('slave_read_repl_offset'), info.number('slave_repl_offset')];
  return read === undefined || applied === undefined ? undefined : Math.max(0, read - applied);
}
