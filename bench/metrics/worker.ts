/** A process with an application that does the work; with metrics, as its second argument says, or without. See processes.ts. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CacheModule, RedisModule } from 'rednest';
import { RedisMetrics, RedisMetricsModule } from 'rednest/metrics';
import { redisUrl } from '../support/redis-url.js';
import { REMOTE, workloads, type WorkloadName } from './workloads.js';

const SCRAPE_INTERVAL = 1_000;

const [name, metrics] = process.argv.slice(2) as [WorkloadName, 'with' | 'without'];

class BenchModule {}

const application = await NestFactory.createApplicationContext(
  {
    module: BenchModule,
    imports: [
      RedisModule.forRoot({ url: redisUrl() }),
      // A benchmark wants figures of Redis, not of the breaker.
      CacheModule.forRoot({ namespace: `bench-${metrics}`, ttl: '10m', budget: '10s' }),
      CacheModule.forFeature({ name: REMOTE, local: false }),
      ...(metrics === 'with' ? [RedisMetricsModule.forRoot({ path: false })] : []),
    ],
  },
  { logger: ['error', 'warn'] },
);

const scraped = metrics === 'with' ? application.get(RedisMetrics) : undefined;
const work = await workloads[name](application);
let sinceScrape = 0;

/** @returns microseconds of processor time, with that of a scrape for each second of work */
async function turn(operations: number): Promise<number> {
  const [usage, begin] = [process.cpuUsage(), performance.now()];
  const isDue = sinceScrape >= SCRAPE_INTERVAL;
  if (isDue) sinceScrape = 0;
  await Promise.all([work(operations), isDue && scraped?.text()]);
  sinceScrape += performance.now() - begin;
  const { user, system } = process.cpuUsage(usage);
  return user + system;
}

process.on('message', (operations: number) => void turn(operations).then((used) => process.send!(used)));
process.on('disconnect', () => process.exit());
process.send!('ready');
