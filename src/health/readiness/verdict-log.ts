import type { HealthCheckResult } from '@nestjs/terminus';
import { logger } from '../health-logger.js';

type Verdict = 'ready' | 'degraded' | 'not ready';

type Entries = readonly (readonly [
  key: string,
  entry: { status: string; state?: unknown; code?: unknown },
])[];

/** Tells of each change of readiness once, however often it is asked for. The first verdict is told only if it is not a good one. */
export class VerdictLog {
  #last: Verdict = 'ready';

  note({ details }: HealthCheckResult): void {
    const entries: Entries = Object.entries(details);
    const verdict = verdictOf(entries);
    if (verdict === this.#last) return;
    this.#last = verdict;
    if (verdict === 'ready') return logger.log('Ready again');
    const what = verdict === 'degraded' ? 'Degraded, but ready' : 'Not ready';
    logger.warn(`${what}: ${reasonsOf(entries)}`);
  }
}

function verdictOf(entries: Entries): Verdict {
  if (entries.some(([, { status }]) => status === 'down')) return 'not ready';
  return entries.some(([, entry]) => isDegraded(entry)) ? 'degraded' : 'ready';
}

function reasonsOf(entries: Entries): string {
  const bad = entries.filter(([, entry]) => entry.status === 'down' || isDegraded(entry));
  return bad
    .map(([key, { code, status }]) => `${key} ${typeof code === 'string' ? code : status}`)
    .join(', ');
}

function isDegraded({ status, state }: Entries[number][1]): boolean {
  return status === 'degraded' || state === 'degraded';
}
