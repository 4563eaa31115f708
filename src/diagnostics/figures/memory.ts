import { canEvict, evictsExpiring, readMemory } from '../../redis/shared.js';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import { memoryWarnings } from './memory-warnings.js';
import type { MemoryFigures, MemoryReport } from './reports.js';
import {
  common,
  everywhere,
  highest,
  reportOf,
  sum,
  sumOfAll,
  type Several,
} from '../../inquiry/together.js';

export async function memory(inquiry: Inquiry): Promise<MemoryReport> {
  const answers = await inquiry.ofAll(memoryOf);
  return { ...reportOf(answers, together), warnings: memoryWarnings(answers.nodes) };
}

async function memoryOf(node: AskedNode): Promise<MemoryFigures | undefined> {
  const [info, stats] = await Promise.all([node.info('memory'), node.info('stats')]);
  if (!info) return undefined;
  const { used = 0, limit, ratio, policy } = readMemory(info);
  const keyspace = evictsExpiring(policy) ? await node.info('keyspace') : undefined;
  // Some managed servers do not tell what is below them.
  const resident = info.number('used_memory_rss') ?? used;
  return {
    used,
    peak: info.number('used_memory_peak') ?? used,
    resident,
    fragmentation: used > 0 ? resident / used : 1,
    limit,
    ratio,
    policy: policy ?? 'unknown',
    canEvict: policy === undefined ? undefined : canEvict(policy, keyspace),
    evicted: stats?.count('evicted_keys') ?? 0,
  };
}

function together(nodes: Several<MemoryFigures>): MemoryFigures {
  return {
    used: sum(nodes, ({ used }) => used),
    peak: sum(nodes, ({ peak }) => peak),
    resident: sum(nodes, ({ resident }) => resident),
    fragmentation: Math.max(...nodes.map(({ fragmentation }) => fragmentation)),
    limit: sumOfAll(nodes, ({ limit }) => limit),
    ratio: highest(nodes, ({ ratio }) => ratio),
    policy: common(nodes, ({ policy }) => policy),
    canEvict: everywhere(nodes.map((node) => node.canEvict)),
    evicted: sum(nodes, ({ evicted }) => evicted),
  };
}
