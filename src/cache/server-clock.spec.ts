import { describe, expect, it } from '@jest/globals';
import { ServerClock } from './server-clock.js';

describe('the estimate of the server’s time', () => {
  it('is this machine’s time before anything is known', () => {
    expect(Math.abs(new ServerClock().now() - Date.now())).toBeLessThan(50);
  });

  it('lies in the middle of the round trip', () => {
    const clock = new ServerClock();
    clock.learn(1_000_000, 100, 120);
    expect(clock.at(110)).toBe(1_000_000);
    expect(clock.at(210)).toBe(1_000_100);
  });

  it('is replaced by one that is as good or better, and by a worse one only after a minute', () => {
    const clock = new ServerClock();
    clock.learn(1_000, 0, 10);
    clock.learn(9_000, 1_000, 1_100);
    expect(clock.at(5)).toBe(1_000);
    clock.learn(2_001, 1_000, 1_010);
    expect(clock.at(1_005)).toBe(2_001);
    clock.learn(90_000, 62_000, 62_100);
    expect(clock.at(62_050)).toBe(90_000);
  });
});
