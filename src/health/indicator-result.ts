import type { HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { Health } from './health.js';

type Data = Record<string, unknown>;

/** What is used of a session of terminus; `degraded` came with version 12. */
interface Session<Key extends string> {
  up(data: Data): HealthIndicatorResult<Key>;
  down(data: Data): HealthIndicatorResult<Key>;
  degraded?(data: Data): HealthIndicatorResult<Key>;
}

/** How something is, as a result of terminus. Where that knows no `degraded`, it is `up`, with `state: 'degraded'`. */
export function indicatorResult<Key extends string>(
  indicators: HealthIndicatorService,
  key: Key,
  { status, code, codes, details }: Health,
): HealthIndicatorResult<Key> {
  const session = indicators.check(key) as Session<Key>;
  const data = { ...(code !== undefined && { code }), ...(codes && { codes }), ...details };
  if (status === 'down') return session.down(data);
  if (status === 'up') return session.up(data);
  return session.degraded?.(data) ?? session.up({ state: 'degraded', ...data });
}

/** Where what is not required is down, it is degraded. */
export function notRequired(health: Health): Health {
  return health.status === 'down' ? { ...health, status: 'degraded' } : health;
}
