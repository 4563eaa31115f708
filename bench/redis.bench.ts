/** The client of RedisModule beside bare ioredis, on one server in one run; see support/rounds.ts. */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { getRedisToken, RedisModule, type RedisClient } from 'rednest';
import { runInFlight } from './support/in-flight.js';
import { redisUrl } from './support/redis-url.js';
import { compare, type Contender, type Schedule } from './support/rounds.js';
import { median, medianRatio } from './support/statistics.js';

const schedule: Schedule = { rounds: 21, milliseconds: 100 };
const pipelineLength = 50;
/** The client shall reach this share of the rate of ioredis with the same setting. */
const goal = 0.97;

const url = redisUrl();

@Module({ imports: [RedisModule.forRoot({ url })] })
class BenchModule {}

interface Subject {
  name: string;
  client: RedisClient;
}

interface Workload {
  name: string;
  /** How many commands one run sends. */
  commands: number;
  run: (client: RedisClient, index: number) => Promise<unknown>;
}

const workloads: Workload[] = [
  { name: 'GET', commands: 1, run: (client, index) => client.get(`bench:${index % 1_000}`) },
  {
    name: 'SET',
    commands: 1,
    run: (client, index) => client.set(`bench:${index % 1_000}`, `value ${index}`),
  },
  { name: `pipeline of ${pipelineLength}`, commands: pipelineLength, run: runPipeline },
];

function runPipeline(client: RedisClient, index: number): Promise<unknown> {
  const pipeline = client.pipeline();
  for (let offset = 0; offset < pipelineLength; offset++) pipeline.get(`bench:${(index + offset) % 1_000}`);
  return pipeline.exec();
}

function contender({ name, client }: Subject, workload: Workload, inFlight: number): Contender {
  return {
    name,
    run: (runs) => runInFlight(runs, inFlight, (index) => workload.run(client, index)),
  };
}

async function run(subjects: Subject[]): Promise<void> {
  const table: Record<string, Record<string, number>> = {};
  const below: string[] = [];
  for (const inFlight of [1, 100]) {
    for (const workload of workloads) {
      const title = `${workload.name}, ${inFlight} in flight`;
      const contenders = subjects.map((subject) => contender(subject, workload, inFlight));
      const [own, ...others] = await compare(contenders, schedule);
      if (!own) continue;
      const commandRate = (rates: readonly number[]) => Math.round(median(rates) * workload.commands);
      const row: Record<string, number> = { rednest: commandRate(own.rates) };
      for (const { name, rates } of others) {
        const share = Number(medianRatio(own.rates, rates).toFixed(3));
        row[name] = commandRate(rates);
        row[`to ${name}`] = share;
        if (share < goal) below.push(`${title}: ${share} of ${name}`);
      }
      table[title] = row;
    }
  }
  console.log(
    `Commands a second, medians of ${schedule.rounds} rounds; a ratio is the median of the rounds' ratios.`,
  );
  console.table(table);
  console.log(below.length === 0 ? `All reach ${goal}.` : `Below ${goal}:\n  ${below.join('\n  ')}`);
}

const application = await NestFactory.createApplicationContext(BenchModule, { logger: ['error', 'warn'] });
const pipelining = new Redis(url, { enableAutoPipelining: true });
const plain = new Redis(url);
try {
  await plain.mset(
    Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`bench:${index}`, 'value'])),
  );
  await run([
    { name: 'rednest', client: application.get<RedisClient>(getRedisToken()) },
    { name: 'ioredis, auto-pipelined', client: pipelining },
    { name: 'ioredis', client: plain },
  ]);
} finally {
  await Promise.all([application.close(), pipelining.quit(), plain.quit()]);
}
