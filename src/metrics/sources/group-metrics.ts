import type { EventBus, GroupStats } from '../../pubsub/index.js';
import { CONNECTION_CHANNEL, type ConnectionEvent } from '../../redis/index.js';
import { SharedQuestion } from '../../timing/shared-question.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';
import type { OwnEvents } from './own-events.js';
import type { Asking } from './server-metrics.js';

interface GroupFigure {
  readonly name: string;
  readonly help: string;
  readonly of: (group: GroupStats) => number;
}

const FIGURES: readonly GroupFigure[] = [
  {
    name: 'events_group_lag',
    help: 'Events that no consumer of the group was given yet, on all replicas.',
    of: ({ lag }) => lag,
  },
  {
    name: 'events_group_pending',
    help: 'Events that were given to a consumer and are not handled yet, on all replicas.',
    of: ({ pending }) => pending,
  },
  {
    name: 'events_group_oldest_pending_seconds',
    help: 'For how long the oldest of those has been in the stream.',
    of: ({ oldestPending = 0 }) => oldestPending / 1_000,
  },
  {
    name: 'events_group_consumers',
    help: 'Replicas that handle events of the group.',
    of: ({ consumers }) => consumers,
  },
];

/** How far the groups of durable events are, which Redis is asked for at a scrape; not while it is away. */
export class GroupMetrics implements MetricSource {
  readonly listeners: ReadonlyMap<string, (message: unknown) => void>;
  readonly metrics: readonly MetricDefinition[] = FIGURES.map(({ of, ...figure }) => ({
    ...figure,
    type: 'gauge',
    aggregator: 'max',
    collect: () => this.#collect(of),
  }));
  readonly #bus: EventBus;
  readonly #timeout: number;
  readonly #question: SharedQuestion<readonly GroupStats[]>;

  constructor(bus: EventBus, own: OwnEvents, { cacheFor, timeout }: Asking) {
    this.#bus = bus;
    this.#timeout = timeout;
    this.#question = new SharedQuestion({
      ask: async () => (await bus.stats()).groups,
      isOpen: () => bus.connection?.state === 'ready',
      keepFor: cacheFor,
    });
    this.listeners = new Map([
      [CONNECTION_CHANNEL, own.only((event: ConnectionEvent) => this.#forget(event))],
    ]);
  }

  /** Whether Redis has told, in time. */
  async answered(): Promise<Sample> {
    const groups = await this.#question.answer(this.#timeout);
    return { labels: { source: 'events' }, value: Number(groups !== undefined) };
  }

  async #collect(of: GroupFigure['of']): Promise<Sample[]> {
    const groups = (await this.#question.answer(this.#timeout)) ?? [];
    return groups.map((its) => ({ labels: { topic: its.topic, group: its.group }, value: of(its) }));
  }

  /** What was read belongs to the connection that it was read from, and so does the failure that its loss has caused. */
  #forget({ connectionId, role }: ConnectionEvent): void {
    if (role === 'client' && connectionId === this.#bus.connection?.id) this.#question.forget();
  }
}
