import { worstStatus } from '../../redis/shared.js';
import { common, highest, isSeveral, sumOfKnown } from '../../inquiry/together.js';
import type { ResolvedConnectionHealthOptions } from '../options/resolved-health-options.js';
import type { Readings } from './judge.js';
import type { NodeFacts } from './node-facts.js';
import type { NodeReading } from './node-probe.js';

type Details = Record<string, unknown>;

/** Figures of a connection for the answer to a probe: of a Cluster sums, or the worst. They name no node. */
export function detailsOf(readings: Readings, options: ResolvedConnectionHealthOptions): Details {
  const { nodes, topology } = readings;
  const facts = nodes.flatMap((node) => node.facts ?? []);
  const omitted = [...new Set(nodes.flatMap((node) => node.omitted))];
  const [first] = facts;
  return withoutUndefined({
    latency: rounded(
      highest(nodes, ({ latency }) => latency),
      2,
    ),
    role: topology === 'cluster' ? undefined : first?.role,
    memory: options.memory && memoryOf(facts),
    clients: clientsOf(facts),
    evicted: sumOfKnown(nodes, ({ since }) => since?.evicted),
    rejected: sumOfKnown(nodes, ({ since }) => since?.rejected),
    replication: options.replication && replicationOf(facts),
    loading: facts.some(({ isLoading }) => isLoading) || undefined,
    persistence: options.persistence ? persistenceOf(facts) : undefined,
    cluster: topology === 'cluster' ? clusterOf(readings) : undefined,
    omitted: omitted.length > 0 ? omitted : undefined,
  });
}

function memoryOf(facts: readonly NodeFacts[]): Details | undefined {
  const policies = facts.flatMap(({ memory }) => memory.policy ?? []);
  if (!isSeveral(policies)) return undefined;
  const ratio = highest(facts, ({ memory }) => memory.ratio);
  return withoutUndefined({ ratio: rounded(ratio, 4), policy: common(policies, (policy) => policy) });
}

function clientsOf(facts: readonly NodeFacts[]): Details | undefined {
  if (facts.length === 0) return undefined;
  return withoutUndefined({
    connected: sumOfKnown(facts, ({ clients }) => clients.connected),
    limit: sumOfKnown(facts, ({ clients }) => clients.limit),
    blocked: sumOfKnown(facts, ({ clients }) => clients.blocked),
  });
}

function replicationOf(facts: readonly NodeFacts[]): Details | undefined {
  const [first] = facts;
  if (!first?.role) return undefined;
  if (first.link) {
    const { state, lastHeard, behind } = first.link;
    return withoutUndefined({ link: state, lastHeard, lag: behind });
  }
  const replicas = facts.flatMap((each) => each.replicas);
  const inStep = replicas.filter(({ isInStep }) => isInStep).length;
  return withoutUndefined({ replicas: inStep, lag: highest(replicas, ({ behind }) => behind) });
}

function persistenceOf(facts: readonly NodeFacts[]): Details | undefined {
  if (facts.length === 0) return undefined;
  return withoutUndefined({
    rdb: worstStatus(facts.map(({ rdb }) => rdb)),
    aof: worstStatus(facts.map(({ aof }) => aof)),
  });
}

function clusterOf({ nodes }: Readings): Details {
  const told = nodes.flatMap(({ cluster }) => cluster ?? []);
  return withoutUndefined({
    state: told.length === 0 ? undefined : told.every(({ state }) => state === 'fail') ? 'fail' : 'ok',
    slotsFailing: highest(told, ({ slotsFailing }) => slotsFailing),
    nodes: nodes.filter(({ code }: NodeReading) => code === undefined).length,
  });
}

function rounded(value: number | undefined, digits: number): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(digits));
}

function withoutUndefined(details: Details): Details {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}
