import { expect, it } from '@jest/globals';
import { EventBusFullError } from '../pubsub-errors.js';
import { EarlyEvents } from './early-events.js';

it('are sent at once, in order, with those that they lead to; then nothing waits', () => {
  const early = new EarlyEvents<number>();
  for (const event of [1, 2, 3]) early.add('a', event);
  const sent: number[] = [];
  early.release((event) => {
    sent.push(event);
    if (event === 1) early.add('a', 4);
    expect(early.isOver).toBe(false);
  });
  expect(sent).toEqual([1, 2, 3, 4]);
  expect(early.isOver).toBe(true);
});

it('are refused when there are too many', () => {
  const early = new EarlyEvents<number>();
  for (let event = 0; event < 10_000; event++) early.add('a', event);
  let error: unknown;
  try {
    early.add('a', 1);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(EventBusFullError);
  expect(error).toMatchObject({ topic: 'a', most: 10_000 });
});
