import { LockError, lockChannel, type LockEvents, type LockService } from '../../lock/index.js';
import { Count, Counts } from '../exposition/count.js';
import { DurationHistogram } from '../exposition/duration-histogram.js';
import type { MetricDefinition } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';
import type { OwnEvents } from './own-events.js';

/** More than there are reasons of a loss, and codes of errors. */
const MOST_REASONS = 30;

/** The locks of all resources together: their names are often made of an id, and there is no end of those. */
export class LockMetrics implements MetricSource {
  readonly listeners: ReadonlyMap<string, (message: unknown) => void>;
  readonly metrics: readonly MetricDefinition[];
  readonly #waits: DurationHistogram;
  readonly #holds: DurationHistogram;
  readonly #acquired = new Count();
  readonly #contended = new Count();
  readonly #lost = new Counts('reason', MOST_REASONS);
  readonly #failed = new Counts('code', MOST_REASONS);

  constructor(locks: LockService, own: OwnEvents, bounds: readonly number[]) {
    this.#waits = new DurationHistogram(bounds);
    this.#holds = new DurationHistogram(bounds);
    this.listeners = new Map([
      [lockChannel('acquired'), own.only((event: LockEvents['acquired']) => this.#countAcquired(event))],
      [lockChannel('failed'), own.only((event: LockEvents['failed']) => this.#countFailed(event))],
      [lockChannel('lost'), own.only(({ reason }: LockEvents['lost']) => this.#lost.add(reason))],
      [lockChannel('released'), own.only(({ held }: LockEvents['released']) => this.#holds.observe(held))],
    ]);
    this.metrics = [...this.#counters(), ...this.#durations(), ...gauges(locks)];
  }

  #countAcquired({ waited, queued }: LockEvents['acquired']): void {
    this.#acquired.value++;
    if (queued) this.#contended.value++;
    this.#waits.observe(waited);
  }

  #countFailed({ waited, error }: LockEvents['failed']): void {
    const code = error instanceof LockError ? error.code : 'UNKNOWN';
    if (code === 'LOCK_TIMEOUT') this.#contended.value++;
    this.#failed.add(code);
    this.#waits.observe(waited);
  }

  #counters(): MetricDefinition[] {
    return [
      {
        name: 'lock_acquired_total',
        help: 'Leases that were acquired.',
        type: 'counter',
        collect: () => [{ labels: {}, value: this.#acquired.value }],
      },
      {
        name: 'lock_failed_total',
        help: 'Locks that were not acquired, by the code of the error. That tryAcquire finds one held is no failure.',
        type: 'counter',
        collect: () => this.#failed.samples(),
      },
      {
        name: 'lock_contended_total',
        help: 'Acquisitions that had to wait for others, and those that gave that up.',
        type: 'counter',
        collect: () => [{ labels: {}, value: this.#contended.value }],
      },
      {
        name: 'lock_lost_total',
        help: 'Leases that ended before they were released, by the reason.',
        type: 'counter',
        collect: () => this.#lost.samples(),
      },
    ];
  }

  #durations(): MetricDefinition[] {
    return [
      {
        name: 'lock_wait_duration_seconds',
        help: 'From the call until the lock was acquired, or was not.',
        type: 'histogram',
        collect: () => this.#waits.samples(),
      },
      {
        name: 'lock_hold_duration_seconds',
        help: 'From the acquisition of a lease until it was released.',
        type: 'histogram',
        collect: () => this.#holds.samples(),
      },
    ];
  }
}

function gauges(locks: LockService): MetricDefinition[] {
  return [
    {
      name: 'lock_held',
      help: 'Resources that this process holds.',
      type: 'gauge',
      collect: () => [{ labels: {}, value: locks.stats().held }],
    },
    {
      name: 'lock_waiting',
      help: 'Acquisitions of this process that wait in a queue.',
      type: 'gauge',
      collect: () => [{ labels: {}, value: locks.stats().waiting }],
    },
  ];
}
