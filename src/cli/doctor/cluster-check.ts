import { Info, orRedisError, SLOT_COUNT } from '../../redis/shared.js';
import { counted, listText } from '../output/text.js';
import type { Check, Examined } from './examined.js';
import type { Findings } from './finding.js';

/** State of a Cluster, its slots, and whether each master has a replica. */
export const cluster: Check = {
  name: 'cluster',
  appliesTo: ({ connection }) => connection.topology === 'cluster',
  async look({ connection }, findings) {
    const client = connection.client;
    const info = new Info(String(await orRedisError(client.call('CLUSTER', 'INFO'))));
    const covered = info.count('cluster_slots_ok');
    const state = info.text('cluster_state');
    const found = `state ${state}, ${covered} of ${SLOT_COUNT} slots served by ${counted(info.count('cluster_size'), 'master')}`;
    if (state === 'ok' && covered === SLOT_COUNT) findings.ok(found);
    else
      findings.problem(
        found,
        'Keys of the others cannot be read or written: bring back their masters, or assign the slots (redis-cli --cluster fix)',
      );
    await lookAtReplicas(connection, findings);
  },
};

type SlotRange = readonly [number, number, ...(readonly (readonly [string, number])[])];

async function lookAtReplicas(connection: Examined['connection'], findings: Findings): Promise<void> {
  const ranges = (await orRedisError(connection.client.call('CLUSTER', 'SLOTS'))) as SlotRange[];
  const replicas = new Map<string, number>();
  for (const [, , master, ...others] of ranges) {
    if (!master) continue;
    const node = `${master[0]}:${master[1]}`;
    replicas.set(node, Math.max(replicas.get(node) ?? 0, others.length));
  }
  const alone = [...replicas].filter(([, count]) => count === 0).map(([node]) => node);
  if (alone.length > 0)
    findings.warning(
      `${listText(alone)} ${alone.length === 1 ? 'has' : 'have'} no replica: what ${alone.length === 1 ? 'it holds' : 'they hold'} is away when a machine is`,
      'Give each master a replica (redis-cli --cluster add-node … --cluster-slave)',
    );
}
