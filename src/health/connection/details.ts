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
    latency: rounded(most(nodes.map(({ latency }) => latency)), 2),
    role: topology === 'cluster' ? undefined : first?.role,
    memory: options.memory && memoryOf(facts),
    clients: clientsOf(facts),
    evicted: sum(nodes.map(({ since }) => since?.evicted)),
    rejected: sum(nodes.map(({ since }) => since?.rejected)),
    replication: options.replication && replicationOf(facts),
    loading: facts.some(({ isLoading }) => isLoading) || undefined,
    persistence: options.persistence ? persistenceOf(facts) : undefined,
    cluster: topology === 'cluster' ? clusterOf(readings) : undefined,
    omitted: omitted.length > 0 ? omitted : undefined,
  });
}

function memoryOf(facts: readonly NodeFacts[]): Details | undefined {
  const policies = new Set(facts.flatMap(({ memory }) => memory.policy ?? []));
  const [policy] = policies;
  if (policy === undefined) return undefined;
  const ratio = rounded(most(facts.map(({ memory }) => memory.ratio)), 4);
  return withoutUndefined({ ratio, policy: policies.size === 1 ? policy : 'mixed' });
}

function clientsOf(facts: readonly NodeFacts[]): Details | undefined {
  if (facts.length === 0) return undefined;
  return withoutUndefined({
    connected: sum(facts.map(({ clients }) => clients.connected)),
    limit: sum(facts.map(({ clients }) => clients.limit)),
    blocked: sum(facts.map(({ clients }) => clients.blocked)),
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
  return withoutUndefined({ replicas: inStep, lag: most(replicas.map(({ behind }) => behind)) });
}

function persistenceOf(facts: readonly NodeFacts[]): Details | undefined {
  if (facts.length === 0) return undefined;
  const worst = <T>(states: readonly T[]): T | undefined =>
    states.find((state) => state === 'failed') ?? states.find((state) => state !== undefined);
  return withoutUndefined({
    rdb: worst(facts.map(({ rdb }) => rdb)),
    aof: worst(facts.map(({ aof }) => aof)),
  });
}

function clusterOf({ nodes }: Readings): Details {
  const told = nodes.flatMap(({ cluster }) => cluster ?? []);
  return withoutUndefined({
    state: told.length === 0 ? undefined : told.every(({ state }) => state === 'fail') ? 'fail' : 'ok',
    slotsFailing: most(told.map(({ slotsFailing }) => slotsFailing)),
    nodes: nodes.filter(({ code }: NodeReading) => code === undefined).length,
  });
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const numbers = known(values);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const numbers = known(values);
  return numbers.length === 0 ? undefined : numbers.reduce((total, value) => total + value, 0);
}

function rounded(value: number | undefined, digits: number): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(digits));
}

function withoutUndefined(details: Details): Details {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}
