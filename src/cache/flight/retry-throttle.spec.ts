import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RetryThrottle } from './retry-throttle.js';

describe('what could not be refreshed', () => {
  it('is held for a while, and then no longer', async () => {
    const throttle = new RetryThrottle(60);
    throttle.postpone('a');
    expect(throttle.holds('a')).toBe(true);
    expect(throttle.holds('b')).toBe(false);
    await sleep(80);
    expect(throttle.holds('a')).toBe(false);
  });

  it('is let go at once when it is to be tried', () => {
    const throttle = new RetryThrottle(60_000);
    throttle.postpone('a');
    throttle.forget('a');
    expect(throttle.holds('a')).toBe(false);
  });

  it('is let go, the oldest first, where there is very much of it', () => {
    const throttle = new RetryThrottle(60_000);
    for (let index = 0; index < 10_005; index++) throttle.postpone(`k${index}`);
    expect(throttle.holds('k0')).toBe(false);
    expect(throttle.holds('k4')).toBe(false);
    expect(throttle.holds('k5')).toBe(true);
    expect(throttle.holds('k10004')).toBe(true);
  });
});
