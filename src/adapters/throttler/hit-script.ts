import type { ThrottlerStorage } from '@nestjs/throttler';
import { defineScript } from '../../redis/index.js';

/** What a `ThrottlerStorage` answers; its times are in seconds. */
export type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Times in milliseconds. */
export interface Hit {
  readonly key: string;
  readonly ttl: number;
  readonly limit: number;
  readonly blockDuration: number;
}

/** Counts a hit, where the limit lets it pass. */
export const hitScript = defineScript<Hit, ThrottlerRecord>({
  lua: new URL('./hit.lua', import.meta.url),
  keys: ({ key }) => [key],
  args: ({ ttl, limit, blockDuration }) => [ttl, limit, blockDuration],
  reply: (raw) => {
    const [hits, milliseconds] = raw as [unknown, unknown];
    const left = Number(milliseconds);
    return left < 0 ? refused(Number(hits), -left) : passed(Number(hits), left);
  },
});

/** @param left milliseconds until the oldest hit ceases to count */
export function passed(hits: number, left: number): ThrottlerRecord {
  return { totalHits: hits, timeToExpire: seconds(left), isBlocked: false, timeToBlockExpire: 0 };
}

/** @param left milliseconds until a hit would pass */
export function refused(hits: number, left: number): ThrottlerRecord {
  return { totalHits: hits, timeToExpire: seconds(left), isBlocked: true, timeToBlockExpire: seconds(left) };
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}
