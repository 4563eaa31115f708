import { onConnectionChange } from '../../inquiry/connection-change.js';
import type { EventBus } from '../../pubsub/index.js';
import { SharedQuestion } from '../../timing/shared-question.js';
import { healthOf, type Finding, type Health } from '../health.js';
import type { ResolvedHealthOptions } from '../options/resolved-health-options.js';

interface Groups {
  readonly lag: number;
  readonly pending: number;
  /** Groups for which events wait, and that nobody handles. */
  readonly unattended: number;
}

/** How the event bus is. How far its groups are is asked of Redis: once at a time, and not while the connection is away. */
export class EventsHealth {
  readonly #bus: EventBus;
  readonly #options: Pick<ResolvedHealthOptions, 'events' | 'cacheFor' | 'defaults'>;
  readonly #groups: SharedQuestion<Groups>;

  constructor(bus: EventBus, options: Pick<ResolvedHealthOptions, 'events' | 'cacheFor' | 'defaults'>) {
    this.#bus = bus;
    this.#options = options;
    this.#groups = new SharedQuestion({
      ask: () => readGroups(bus),
      keepFor: options.cacheFor,
      isOpen: () => bus.connection?.state === 'ready',
    });
    if (bus.connection) onConnectionChange(bus.connection.client, () => this.#groups.forget());
  }

  async check(): Promise<Health> {
    const { published, handled, failed, dead, dropped, gaps } = this.#bus.counts;
    const counts = { published, handled, failed, dead, dropped, gaps };
    const { events, defaults } = this.#options;
    if (!events) return { status: 'up', details: counts };
    const groups = await this.#groups.answer(defaults.timeout);
    if (!groups) return { status: 'up', details: { ...counts, omitted: ['groups'] } };
    const findings: Finding[] = [];
    if (groups.unattended > 0) findings.push({ status: 'degraded', code: 'EVENTS_NO_CONSUMER' });
    if (groups.lag > events.maxLag) findings.push({ status: 'degraded', code: 'EVENTS_LAG' });
    return healthOf(findings, { ...counts, ...groups });
  }
}

async function readGroups(bus: EventBus): Promise<Groups> {
  const { groups } = await bus.stats();
  const sum = (figure: 'lag' | 'pending') => groups.reduce((total, group) => total + group[figure], 0);
  const unattended = groups.filter(({ lag, pending, consumers }) => lag + pending > 0 && consumers === 0);
  return { lag: sum('lag'), pending: sum('pending'), unattended: unattended.length };
}
