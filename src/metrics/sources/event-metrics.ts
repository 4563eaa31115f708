import { pubsubChannel, type BusEvents, type EventBus } from '../../pubsub/index.js';
import { BoundedSeries } from '../exposition/bounded-series.js';
import { Counts } from '../exposition/count.js';
import { DurationHistogram } from '../exposition/duration-histogram.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';
import type { OwnEvents } from './own-events.js';

/** Topics that have series of their own. An application may make more of them as it runs. */
const MOST_TOPICS = 100;

type Topical = Exclude<keyof BusEvents, 'partition'>;

/** What is counted by topic: the name of the metric, and what it says. */
const COUNTERS: Readonly<Record<Topical, readonly [name: string, help: string]>> = {
  published: ['events_published_total', 'Events that were published.'],
  rejected: ['events_rejected_total', 'Events that were not published.'],
  handled: ['events_handled_total', 'Events that a handler has handled, counted for each handler.'],
  failed: ['events_failed_total', 'Events that a handler has failed at, counted for each attempt.'],
  retried: ['events_retried_total', 'Events that are handled again after a failure.'],
  dead: ['events_dead_total', 'Events that went to the dead letters.'],
  gap: ['events_gaps_total', 'How often events may have been missed, or were dropped.'],
};

/** The event bus: what happens to events by topic. */
export class EventMetrics implements MetricSource {
  readonly listeners: ReadonlyMap<string, (message: unknown) => void>;
  readonly metrics: readonly MetricDefinition[];
  readonly #publishing: BoundedSeries<DurationHistogram>;
  readonly #handling: BoundedSeries<DurationHistogram>;

  constructor(bus: EventBus, own: OwnEvents, bounds: readonly number[]) {
    const counts = new Map(Object.keys(COUNTERS).map((kind) => [kind, new Counts('topic', MOST_TOPICS)]));
    this.#publishing = new BoundedSeries(() => new DurationHistogram(bounds), MOST_TOPICS);
    this.#handling = new BoundedSeries(() => new DurationHistogram(bounds), MOST_TOPICS);
    const topical = [...counts].map(([kind, its]) => {
      const listen = own.only((event: BusEvents[Topical]) => {
        its.add(event.topic);
        this.#observe(kind as Topical, event);
      });
      return [pubsubChannel(kind as Topical), listen] as const;
    });
    this.listeners = new Map(topical);
    this.metrics = [
      ...[...counts].map(([kind, its]): MetricDefinition => {
        const [name, help] = COUNTERS[kind as Topical];
        return { name, help, type: 'counter', collect: () => its.samples() };
      }),
      dropped(bus),
      ...this.#durations(),
    ];
  }

  #observe(kind: Topical, event: BusEvents[Topical]): void {
    if (!('took' in event)) return;
    const series = kind === 'published' ? this.#publishing : this.#handling;
    series.of(event.topic).observe(event.took);
  }

  #durations(): MetricDefinition[] {
    return [
      {
        name: 'events_publish_duration_seconds',
        help: 'From the call until Redis has the event; of a local one, until the handlers have it.',
        type: 'histogram',
        collect: () => durationsOf(this.#publishing),
      },
      {
        name: 'events_handling_duration_seconds',
        help: 'How long handlers took for an event, also where they have failed.',
        type: 'histogram',
        collect: () => durationsOf(this.#handling),
      },
    ];
  }
}

function* durationsOf(series: Iterable<readonly [string, DurationHistogram]>): Iterable<Sample> {
  for (const [topic, durations] of series) yield* durations.samples({ topic });
}

function dropped(bus: EventBus): MetricDefinition {
  return {
    name: 'events_dropped_total',
    help: 'Events that were dropped because a handler or a stream was too slow.',
    type: 'counter',
    collect: () => [{ labels: {}, value: bus.counts.dropped }],
  };
}
