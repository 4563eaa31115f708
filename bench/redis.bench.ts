/**
 * The client of RedisModule beside bare ioredis, on one server in one run. The contenders take turns, round by round and
 * each round in another order, so that what else the machine does hits them alike; a ratio is the median of the rounds.
 */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { getRedisToken, RedisModule, type RedisClient } from 'rednest';

const rounds = 21;
const pipelineLength = 50;
/** The client shall reach this share of the rate of ioredis with the same setting. */
const goal = 0.97;

const url = process.env['REDIS_URL'];
if (!url) throw new Error('REDIS_URL is not set: run this with npm run bench redis');

@Module({ imports: [RedisModule.forRoot({ url })] })
class BenchModule {}

interface Contender {
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

/** With enough commands that a round takes about a tenth of a second. */
const loads = [
  { inFlight: 1, commandsOfRound: { single: 2_000, pipelined: 10_000 } },
  { inFlight: 100, commandsOfRound: { single: 15_000, pipelined: 20_000 } },
];

function runPipeline(client: RedisClient, index: number): Promise<unknown> {
  const pipeline = client.pipeline();
  for (let offset = 0; offset < pipelineLength; offset++) pipeline.get(`bench:${(index + offset) % 1_000}`);
  return pipeline.exec();
}

/** Commands a second. */
async function measure(
  client: RedisClient,
  workload: Workload,
  inFlight: number,
  runs: number,
): Promise<number> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs) await workload.run(client, next++);
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, work));
  return (runs * workload.commands * 1_000) / (performance.now() - begin);
}

/** The rates of each contender, in the order of the rounds. The first round warms up and is not counted. */
async function compare(
  contenders: Contender[],
  workload: Workload,
  load: (typeof loads)[number],
): Promise<number[][]> {
  const { single, pipelined } = load.commandsOfRound;
  const runs = workload.commands === 1 ? single : pipelined / workload.commands;
  const rates: number[][] = contenders.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const position = (round + turn) % contenders.length;
      const contender = contenders[position];
      if (!contender) continue;
      const rate = await measure(contender.client, workload, load.inFlight, runs);
      if (round > 0) rates[position]?.push(rate);
    }
  }
  return rates;
}

function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function ratio(of: number[] = [], to: number[] = []): number {
  return Number(median(of.map((rate, round) => rate / (to[round] ?? Number.NaN))).toFixed(3));
}

async function run(contenders: Contender[]): Promise<void> {
  const table: Record<string, Record<string, number>> = {};
  const below: string[] = [];
  for (const load of loads) {
    for (const workload of workloads) {
      const title = `${workload.name}, ${load.inFlight} in flight`;
      const [own = [], ...others] = await compare(contenders, workload, load);
      const row: Record<string, number> = { rednest: Math.round(median(own)) };
      others.forEach((rates, position) => {
        const name = contenders[position + 1]?.name ?? '';
        const share = ratio(own, rates);
        row[name] = Math.round(median(rates));
        row[`to ${name}`] = share;
        if (share < goal) below.push(`${title}: ${share} of ${name}`);
      });
      table[title] = row;
    }
  }
  console.log(`Commands a second, medians of ${rounds} rounds; a ratio is the median of the rounds' ratios.`);
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
