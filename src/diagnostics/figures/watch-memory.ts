import { setTimeout as sleep } from 'node:timers/promises';
import { RedisClosedError, RedisError } from '../../redis/index.js';
import type { ResolvedWatchOptions } from '../options/resolve-inspector-options.js';
import { MemoryTrend } from './memory-trend.js';
import type { MemoryFigures, MemoryReport, MemorySample } from './reports.js';

type Look = () => Promise<MemoryReport>;

/** Each loop over it is a watch of its own. */
export function watchMemory(look: Look, options: ResolvedWatchOptions): AsyncIterable<MemorySample> {
  return { [Symbol.asyncIterator]: () => watch(look, options) };
}

function watch(look: Look, { interval, signal }: ResolvedWatchOptions): AsyncIterator<MemorySample> {
  const stop = new AbortController();
  const end = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const samples = take(look, interval, end);
  return {
    next: () => samples.next(),
    // The generator alone would let whoever ends it wait for the pause that it is in.
    return: () => {
      stop.abort();
      return samples.return(undefined);
    },
  };
}

async function* take(
  look: Look,
  interval: number,
  end: AbortSignal,
): AsyncGenerator<MemorySample, undefined> {
  const trend = new MemoryTrend();
  while (!end.aborted) {
    const startedAt = performance.now();
    const seen = await orEnd(lookOrNothing(look), end);
    if (end.aborted || seen === 'closed') return;
    if (seen) yield trend.add(seen, startedAt);
    const rest = Math.max(0, interval - (performance.now() - startedAt));
    // What keeps the process alive is the connection, as long as there is one.
    await sleep(rest, undefined, { signal: end, ref: false }).catch(() => undefined);
  }
}

/** @returns undefined while no node can be reached */
async function lookOrNothing(look: Look): Promise<(MemoryReport & MemoryFigures) | 'closed' | undefined> {
  const report = await look().catch(whileAway);
  if (report === 'closed' || report === undefined || report.used !== undefined) return report;
  // It will not be otherwise the next time.
  throw report.omitted.find(({ reason }) => reason !== 'unreachable')!.error;
}

function whileAway(error: unknown): 'closed' | undefined {
  if (error instanceof RedisClosedError) return 'closed';
  if (error instanceof RedisError) return undefined;
  throw error;
}

async function orEnd<T>(promise: Promise<T>, end: AbortSignal): Promise<T | undefined> {
  let abort = (): void => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    abort = () => resolve(undefined);
    end.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    end.removeEventListener('abort', abort);
  }
}
