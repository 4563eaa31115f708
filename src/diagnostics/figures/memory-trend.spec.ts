import { describe, expect, it } from '@jest/globals';
import { MemoryTrend } from './memory-trend.js';
import type { MemoryFigures, MemoryReport } from './reports.js';

const SECOND = 1_000;

function memory(used: number, { limit, node = 'default' }: { limit?: number; node?: string } = {}) {
  const figures: MemoryFigures = {
    used,
    peak: used,
    resident: used,
    fragmentation: 1,
    limit,
    ratio: limit && used / limit,
    policy: 'noeviction',
    canEvict: false,
    evicted: 0,
  };
  return { ...figures, nodes: [{ node, ...figures }], omitted: [], warnings: [] } satisfies MemoryReport;
}

describe('MemoryTrend', () => {
  it('needs three samples', () => {
    const trend = new MemoryTrend();
    expect(trend.add(memory(100), 0)).toMatchObject({ change: undefined, perMinute: undefined });
    expect(trend.add(memory(160), SECOND)).toMatchObject({ change: 60, perMinute: undefined });
    expect(trend.add(memory(140), 2 * SECOND).change).toBe(-20);
  });

  it('knows what grows evenly, and when it is full', () => {
    const trend = new MemoryTrend();
    const samples = [0, 1, 2, 3].map((i) => trend.add(memory(100 + 10 * i, { limit: 230 }), i * SECOND));
    expect(samples[3]?.perMinute).toBeCloseTo(600);
    expect(samples[3]?.untilLimit).toBeCloseTo(10 * SECOND);
  });

  it('is the line of least squares where it does not', () => {
    const trend = new MemoryTrend();
    const [, , last] = [0, 30, 30].map((used, i) => trend.add(memory(used), i * SECOND));
    // (−1 · −20 + 0 · 10 + 1 · 10) / 2 = 15 bytes a second.
    expect(last?.perMinute).toBeCloseTo(900);
  });

  it('never reaches a limit where it does not grow, or there is none', () => {
    const shrinks = new MemoryTrend();
    const steady = new MemoryTrend();
    const unlimited = new MemoryTrend();
    for (const i of [0, 1, 2]) {
      expect(shrinks.add(memory(100 - i, { limit: 200 }), i * SECOND).untilLimit).toBeUndefined();
      expect(steady.add(memory(100, { limit: 200 }), i * SECOND).untilLimit).toBeUndefined();
      expect(unlimited.add(memory(100 + i), i * SECOND).untilLimit).toBeUndefined();
    }
  });

  it('is that of the last five minutes', () => {
    const trend = new MemoryTrend();
    for (const i of [0, 1, 2]) trend.add(memory(1_000 * i), i * SECOND);
    const later = 400 * SECOND;
    const samples = [0, 1, 2].map((i) => trend.add(memory(2_000 + i), later + i * SECOND));
    expect(samples[1]?.perMinute).toBeUndefined();
    expect(samples[2]?.perMinute).toBeCloseTo(60);
  });

  it('begins again where other nodes answer', () => {
    const trend = new MemoryTrend();
    for (const i of [0, 1, 2]) trend.add(memory(100), i * SECOND);
    expect(trend.add(memory(500, { node: 'b' }), 3 * SECOND)).toMatchObject({
      change: undefined,
      perMinute: undefined,
    });
  });
});
