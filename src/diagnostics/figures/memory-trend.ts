import type { MemoryFigures, MemoryReport, MemorySample } from './reports.js';

/** Milliseconds. */
const WINDOW = 5 * 60_000;

const MINUTE = 60_000;

/** Fewer lie on a line whatever they are. */
const FEWEST = 3;

interface Point {
  /** Milliseconds of a clock that does not jump. */
  readonly time: number;
  readonly used: number;
}

/** How the memory of the same nodes goes up or down. */
export class MemoryTrend {
  /** The oldest first. */
  #points: Point[] = [];
  #nodes = '';

  /** @param time milliseconds of a clock that does not jump */
  add(memory: MemoryReport & MemoryFigures, time: number): MemorySample {
    const nodes = memory.nodes.map(({ node }) => node).join();
    // A node that comes or goes is no growth.
    if (nodes !== this.#nodes) this.#points = [];
    this.#nodes = nodes;
    const { used, limit } = memory;
    const before = this.#points.at(-1);
    this.#points = [...this.#points.filter((point) => point.time > time - WINDOW), { time, used }];
    const slope = slopeOf(this.#points);
    return {
      at: new Date(),
      memory,
      change: before && used - before.used,
      perMinute: slope === undefined ? undefined : slope * MINUTE,
      untilLimit:
        limit === undefined || !slope || slope < 0 ? undefined : Math.max(0, (limit - used) / slope),
    };
  }
}

/** Bytes for each millisecond: the slope of the line with the least squares of distances. */
function slopeOf(points: readonly Point[]): number | undefined {
  if (points.length < FEWEST) return undefined;
  const time = mean(points.map((point) => point.time));
  const used = mean(points.map((point) => point.used));
  let products = 0;
  let squares = 0;
  for (const point of points) {
    products += (point.time - time) * (point.used - used);
    squares += (point.time - time) ** 2;
  }
  return squares > 0 ? products / squares : undefined;
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
