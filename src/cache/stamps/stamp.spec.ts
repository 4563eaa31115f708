import { describe, expect, it } from '@jest/globals';
import { Shard } from '../coherence/shard.js';
import { NO_STAMP, Stamp } from './stamp.js';

const shard = new Shard('');
const newStamp = () => new Stamp('app:cache:t:a', 0, shard);

describe('a stamp', () => {
  it('is believed only where its changes would be told of', () => {
    const stamp = newStamp();
    expect(stamp.learn('100', undefined)).toBe(false);
    expect(stamp).toMatchObject({ recent: 100, believed: NO_STAMP });
    stamp.learn('100', shard);
    expect(stamp).toMatchObject({ recent: 100, believed: 100 });
    stamp.forget();
    expect(stamp).toMatchObject({ recent: 100, believed: NO_STAMP });
  });

  it('that is lower than it was counts as missing', () => {
    const stamp = newStamp();
    stamp.learn('200', shard);
    expect(stamp.learn('100', shard)).toBe(true);
    expect(stamp).toMatchObject({ recent: NO_STAMP, believed: NO_STAMP });
    expect(stamp.learn('300', shard)).toBe(false);
    expect(stamp.recent).toBe(300);
  });

  it.each([null, '', 'hello', 'NaN', '1.5', '99999999999999999999'])('that reads %p is none', (text) => {
    const stamp = newStamp();
    stamp.learn(text, shard);
    expect(stamp).toMatchObject({ recent: NO_STAMP, believed: NO_STAMP });
  });

  it('that this process has invalidated makes what recorded it invalid at once, and for good', () => {
    const stamp = newStamp();
    stamp.learn('100', shard);
    expect(stamp.isInvalid(100)).toBe(false);
    stamp.invalidate();
    expect(stamp.isInvalid(100)).toBe(true);
    // A read that was under way.
    stamp.learn('100', undefined);
    expect(stamp.recent).not.toBe(100);
    stamp.learn('200', shard);
    expect(stamp.isInvalid(100)).toBe(true);
    expect(stamp.isInvalid(200)).toBe(false);
  });

  it('that is kept is rolled back as one that is read', () => {
    const stamp = newStamp();
    stamp.learn('200', shard);
    expect(stamp.keep('100', 1_000)).toBe(true);
    expect(stamp).toMatchObject({ recent: NO_STAMP, believed: NO_STAMP, aliveUntil: 0, floor: 200 });
    stamp.invalidate();
    expect(stamp.keep('200', 1_000)).toBe(true);
    expect(stamp.recent).toBeLessThan(NO_STAMP);
    expect(stamp.keep('99999999999999999999', 1_000)).toBe(false);
    expect(stamp.floor).toBe(200);
    expect(stamp.keep('201', 1_000)).toBe(false);
    expect(stamp).toMatchObject({ recent: 201, aliveUntil: 1_000, floor: 201 });
  });

  it('knows since when it is what it is', () => {
    const stamp = newStamp();
    stamp.learn('100', shard);
    const since = stamp.recentSince;
    stamp.learn('100', shard);
    expect(stamp.recentSince).toBe(since);
    const before = performance.now();
    stamp.keep('101', 0);
    expect(stamp.recentSince).toBeGreaterThanOrEqual(before);
    expect(stamp.believed).toBe(NO_STAMP);
  });
});
