import type { RedisErrorCode } from '../../redis/index.js';
import { healthOf, type Finding, type Health } from '../health.js';
import type { ResolvedConnectionHealthOptions } from '../options/resolved-health-options.js';
import { detailsOf } from './details.js';
import type { NodeReading } from './node-probe.js';

/** What is known of the servers behind a connection. */
export interface Readings {
  readonly topology: 'standalone' | 'sentinel' | 'cluster';
  readonly nodes: readonly NodeReading[];
  /** Why a master of a Cluster could not be asked at all. */
  readonly missing: RedisErrorCode | undefined;
}

/** How a connection is, by what its servers have answered. */
export function judge(readings: Readings, options: ResolvedConnectionHealthOptions): Health {
  const findings = [
    ...reachability(readings),
    ...readings.nodes.flatMap((node) => cluster(node)),
    ...readings.nodes.flatMap((node) => memory(node, options.memory)),
    ...readings.nodes.flatMap((node) => replication(node, options.replication, readings.topology)),
    ...readings.nodes.flatMap((node) => persistence(node, options.persistence)),
  ];
  return healthOf(agreed(findings, readings), detailsOf(readings, options));
}

/** Without some masters of a Cluster the others serve on; without all, nobody does. */
function reachability({ nodes, missing }: Readings): Finding[] {
  const failed = nodes.flatMap(({ code }) => code ?? []);
  const status = failed.length === nodes.length ? 'down' : 'degraded';
  const codes = missing === undefined ? failed : [...failed, missing];
  return codes.map((code) => ({ status, code }));
}

function cluster({ cluster: facts }: NodeReading): Finding[] {
  if (!facts) return [];
  if (facts.state === 'fail') return [{ status: 'down', code: 'REDIS_CLUSTER' }];
  return facts.slotsFailing > 0 ? [{ status: 'degraded', code: 'REDIS_CLUSTER' }] : [];
}

/** A node that sees the Cluster failing while the others do not is cut off from them: it is what fails, not the Cluster. */
function agreed(findings: Finding[], { nodes }: Readings): Finding[] {
  const telling = nodes.flatMap(({ cluster: facts }) => facts ?? []);
  if (telling.every(({ state }) => state === 'fail')) return findings;
  return findings.map((each) => (each.code === 'REDIS_CLUSTER' ? { ...each, status: 'degraded' } : each));
}

function memory({ facts }: NodeReading, limits: ResolvedConnectionHealthOptions['memory']): Finding[] {
  const ratio = facts?.memory.ratio;
  if (!limits || ratio === undefined || facts?.memory.canEvict) return [];
  if (ratio >= 1) return [{ status: 'degraded', code: 'REDIS_OUT_OF_MEMORY' }];
  return ratio >= limits.degraded ? [{ status: 'degraded', code: 'MEMORY_HIGH' }] : [];
}

function replication(
  { facts }: NodeReading,
  expected: ResolvedConnectionHealthOptions['replication'],
  topology: Readings['topology'],
): Finding[] {
  if (!expected || !facts?.role) return [];
  const findings: Finding[] = [];
  const { role, maxLag, minReplicas } = expected;
  if (topology !== 'cluster' && role !== 'any' && role !== facts.role)
    findings.push(
      role === 'master'
        ? { status: 'down', code: 'REDIS_READ_ONLY' }
        : { status: 'degraded', code: 'NOT_A_REPLICA' },
    );
  if (facts.link?.state === 'down') findings.push({ status: 'degraded', code: 'REPLICATION_LINK_DOWN' });
  const lags = [facts.link?.behind, ...facts.replicas.map(({ behind }) => behind)];
  if (lags.some((lag) => lag !== undefined && lag > maxLag))
    findings.push({ status: 'degraded', code: 'REPLICATION_LAG' });
  const inStep = facts.replicas.filter(({ isInStep }) => isInStep).length;
  if (facts.role === 'master' && inStep < minReplicas)
    findings.push({ status: 'degraded', code: 'REPLICAS_MISSING' });
  return findings;
}

/** Where it takes no writes for that reason, it is not as it should be to those either who do not mind. */
function persistence({ facts, cannotSave }: NodeReading, isJudged: boolean): Finding[] {
  const hasFailed = isJudged && (facts?.rdb === 'failed' || facts?.aof === 'failed');
  return hasFailed || cannotSave ? [{ status: 'degraded', code: 'PERSISTENCE_FAILED' }] : [];
}
