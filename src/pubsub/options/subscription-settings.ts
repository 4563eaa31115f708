import type { Problems, Settings } from '../../redis/shared.js';
import type { ResolvedBackoff, SubscriptionDefaults } from './resolved-options.js';

/** Where neither a subscription nor the module says anything. */
export const BUILT_IN: SubscriptionDefaults = Object.freeze({
  retries: 5,
  backoff: Object.freeze({ initial: 1_000, max: 300_000 }),
  once: 0,
  concurrency: 10,
  timeout: Infinity,
  buffer: 1_000,
  overflow: 'drop-oldest',
});

const HOUR = 3_600_000;

/** These are no timers; times in Redis may be longer. */
const YEAR = 366 * 24 * HOUR;

/** What a signal is, for messages. */

const COUNT_EXPECTED = 'a whole number from 1 on';

/** The settings of a group, with the defaults for what is left out. */
export function readGroup(settings: Settings, problems: Problems, defaults: SubscriptionDefaults) {
  return {
    retries:
      settings.integer('retries', { min: 0, expected: 'a whole number from 0 on' }) ?? defaults.retries,
    backoff: readBackoff(settings, problems, defaults.backoff),
    once: readOnce(settings) ?? defaults.once,
  };
}

/** The settings of a buffer, with the defaults for what is left out. */
export function readBuffer(settings: Settings, defaults: SubscriptionDefaults) {
  return {
    buffer: settings.integer('buffer', { min: 1, expected: COUNT_EXPECTED }) ?? defaults.buffer,
    overflow: settings.choice('overflow', ['drop-oldest', 'drop-newest', 'wait']) ?? defaults.overflow,
  };
}

/** As {@link readBuffer}, of a local event: who publishes it does not wait. Where others do by default, the oldest is dropped. */
export function readLocalBuffer(settings: Settings, problems: Problems, defaults: SubscriptionDefaults) {
  const { buffer, overflow } = readBuffer(settings, defaults);
  if (settings.find('overflow')?.value === 'wait')
    problems.add(
      'overflow',
      "'wait' is not for a local event: it is handed over at once, and nothing can hold it back",
    );
  return { buffer, overflow: overflow === 'wait' ? ('drop-oldest' as const) : overflow };
}

/** How many events are handled at a time. */
export function readConcurrency(settings: Settings, defaults: SubscriptionDefaults): number {
  return settings.integer('concurrency', { min: 1, expected: COUNT_EXPECTED }) ?? defaults.concurrency;
}

function readBackoff(settings: Settings, problems: Problems, defaults: ResolvedBackoff): ResolvedBackoff {
  const given = settings.duration('backoff.initial', { min: 0 });
  const initial = Math.ceil(given ?? defaults.initial);
  const most = settings.duration('backoff.max', { min: 0, max: YEAR });
  // A first pause that is longer than the longest by default means that all are as long.
  const max = Math.ceil(most ?? Math.max(defaults.max, initial));
  if (given !== undefined && initial > max)
    problems.add(settings.label('backoff.initial'), `is ${initial} ms, more than backoff.max (${max} ms)`);
  return { initial: Math.min(initial, max), max };
}

function readOnce(settings: Settings): number | undefined {
  const value = settings.find('once')?.value;
  if (value === true) return HOUR;
  if (value === false) return 0;
  const duration = settings.duration('once', { max: YEAR });
  return duration === undefined ? undefined : Math.ceil(duration);
}
