import type { EventBus } from '../../pubsub/index.js';
import { settlesBefore } from '../../timing/settles-before.js';
import { healthOf, type Finding, type Health } from '../health.js';
import type { ResolvedHealthOptions } from '../options/resolved-health-options.js';

interface Groups {
  readonly lag: number;
  readonly pending: number;
  /** Groups for which events wait, and that nobody handles. */
  readonly unattended: number;
}

interface Asking {
  readonly since: number;
  /** Undefined where Redis did not tell. Never rejects. */
  readonly groups: Promise<Groups | undefined>;
}

/** How the event bus is. How far its groups are is asked of Redis: once at a time, and not while the connection is away. */
export class EventsHealth {
  readonly #bus: EventBus;
  readonly #options: Pick<ResolvedHealthOptions, 'events' | 'cacheFor' | 'defaults'>;
  #asking: Asking | undefined;
  #kept: { readonly groups: Groups | undefined; readonly until: number } | undefined;

  constructor(bus: EventBus, options: Pick<ResolvedHealthOptions, 'events' | 'cacheFor' | 'defaults'>) {
    this.#bus = bus;
    this.#options = options;
  }

  async check(): Promise<Health> {
    const { published, handled, failed, dead, dropped, gaps } = this.#bus.counts;
    const counts = { published, handled, failed, dead, dropped, gaps };
    const { events } = this.#options;
    if (!events) return { status: 'up', details: counts };
    const groups = await this.#groups();
    if (!groups) return { status: 'up', details: { ...counts, omitted: ['groups'] } };
    const findings: Finding[] = [];
    if (groups.unattended > 0) findings.push({ status: 'degraded', code: 'EVENTS_NO_CONSUMER' });
    if (groups.lag > events.maxLag) findings.push({ status: 'degraded', code: 'EVENTS_LAG' });
    return healthOf(findings, { ...counts, ...groups });
  }

  async #groups(): Promise<Groups | undefined> {
    if (this.#bus.connection?.state !== 'ready') return undefined;
    if (this.#kept && performance.now() < this.#kept.until) return this.#kept.groups;
    const { groups, since } = (this.#asking ??= this.#ask());
    return (await settlesBefore(groups, since + this.#options.defaults.timeout, 'free')) ? groups : undefined;
  }

  #ask(): Asking {
    const groups = readGroups(this.#bus).catch(() => undefined);
    void groups.then((found) => {
      this.#asking = undefined;
      this.#kept = { groups: found, until: performance.now() + this.#options.cacheFor };
    });
    return { since: performance.now(), groups };
  }
}

async function readGroups(bus: EventBus): Promise<Groups> {
  const { groups } = await bus.stats();
  const sum = (figure: 'lag' | 'pending') => groups.reduce((total, group) => total + group[figure], 0);
  const unattended = groups.filter(({ lag, pending, consumers }) => lag + pending > 0 && consumers === 0);
  return { lag: sum('lag'), pending: sum('pending'), unattended: unattended.length };
}
