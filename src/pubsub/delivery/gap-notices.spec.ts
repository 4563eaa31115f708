import { afterEach, expect, it, jest } from '@jest/globals';
import { BusEventPublisher } from '../bus-events.js';
import { logger } from '../pubsub-logger.js';
import type { EventGap } from './event-handler.js';
import { GapNotices } from './gap-notices.js';

afterEach(() => void jest.restoreAllMocks());

const notices = (onGap: (gap: EventGap) => unknown): GapNotices =>
  new GapNotices({ name: 'slow', topic: 'news', onGap }, new BusEventPublisher('connection', 'events'));

it('tells of each burst, and logs at most once a minute, with all that were dropped since', () => {
  const warn = jest.spyOn(logger, 'warn').mockReturnValue();
  const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
  const missed: unknown[] = [];
  const gaps = notices((gap) => missed.push(gap.missed));
  const burst = (events: number): void => {
    for (let event = 0; event < events; event++) gaps.dropped();
    gaps.endBurst();
  };
  for (const events of [1, 2, 3]) burst(events);
  now.mockReturnValue(61_000);
  burst(4);
  expect(missed).toEqual([1, 2, 3, 4]);
  expect(warn.mock.calls.map(([text]) => text)).toEqual([
    "slow is too slow for what comes of 'news': 1 event was dropped",
    "slow is too slow for what comes of 'news': 9 events were dropped",
  ]);
});

it('logs what a handler of gaps throws or rejects with, whatever that is', async () => {
  const log = jest.spyOn(logger, 'error').mockReturnValue();
  const gap: EventGap = { topic: 'news', reason: 'reconnected', since: new Date() };
  const thrown: unknown = Object.create(null);
  notices(() => {
    throw thrown;
  }).tell(gap);
  notices(() => Promise.reject(thrown)).tell(gap);
  await new Promise((resolve) => setImmediate(resolve));
  expect(log).toHaveBeenCalledTimes(2);
});
