/** A process that reads one key each millisecond, and tells how long it waited; see scans.ts. */
import { setInterval } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { quantile } from '../support/statistics.js';

const [url, keys] = process.argv.slice(2) as [string, string];

const redis = new Redis(url);
let took: number[] = [];

async function read(): Promise<void> {
  const from = performance.now();
  await redis.get(`small:${Math.floor(Math.random() * Number(keys))}`);
  took.push(performance.now() - from);
}

async function drive(): Promise<void> {
  for await (const _ of setInterval(1)) void read();
}

/** Answers with the 99th percentile of what it waited since the answer before, in milliseconds. */
process.on('message', () => {
  process.send!(quantile(took, 0.99));
  took = [];
});
process.on('disconnect', () => process.exit());
await redis.ping();
process.send!('reads');
await drive();
