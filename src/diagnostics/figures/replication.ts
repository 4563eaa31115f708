import type { AskedNode } from '../../inquiry/asked-node.js';
import { readReplication, type ReplicaReading } from '../../redis/shared.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { ReplicaFigures, ReplicationFigures } from './reports.js';
import { reportOf } from '../../inquiry/together.js';

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
  const { role, link, replicas } = readReplication(info);
  const known = replicas.map(replicaOf);
  if (role === 'master') return { role, replicas: known };
  return { role: 'replica', ...(link && { link }), replicas: known };
}

/** Whether it is in step, its state tells. */
function replicaOf({ replica, state, behind, lastHeard }: ReplicaReading): ReplicaFigures {
  return { replica, state, behind, lastHeard };
}
