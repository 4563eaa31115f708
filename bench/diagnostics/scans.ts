import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { getRedisConnectionToken, RedisModule } from 'rednest';
import { RedisInspector } from 'rednest/diagnostics';
import { messageOf } from '../support/child-process.js';
import { redisUrl } from '../support/redis-url.js';
import { atMost, type Table } from '../support/report.js';
import { median, medianRatio, rounded } from '../support/statistics.js';

const KEYS = 2_000_000;
/** Keys that one script writes. */
const BATCH = 20_000;
/** Of 1,000 elements, 100 of each type. */
const COLLECTIONS = 400;
const ROUNDS = 7;
const PHASE = 1_000;

interface Scanner {
  readonly name: string;
  /** Ends by itself, or with the signal. @returns how many keys it looked at */
  run(signal: AbortSignal): Promise<number>;
}

/** What it does to the reader that another process is busy. */
const NO_SCANNER: Scanner = {
  name: 'half of a processor, no Redis',
  run: async (signal) => {
    const end = performance.now() + PHASE;
    while (!signal.aborted && performance.now() < end) {
      const until = performance.now() + 1;
      while (performance.now() < until);
      await wait(1);
    }
    return 0;
  },
};

class BenchModule {}

/** Two million keys, walked through while another process reads one each millisecond. */
export async function* scans(): AsyncGenerator<Table> {
  const redis = new Redis(redisUrl());
  const app = await NestFactory.createApplicationContext(
    { module: BenchModule, imports: [RedisModule.forRoot({ url: redisUrl() })] },
    { logger: ['error', 'warn'] },
  );
  try {
    await fill(redis);
    yield await compareScanners([...ownScanners(app), ...(await redisCliScanners()), NO_SCANNER]);
  } finally {
    await app.close();
    await redis.flushall('ASYNC');
    redis.disconnect();
  }
}

/**
 * The scanners, this process and what it starts from now on, keep to one processor, as they would to a machine of their own: on a small one
 * the reader would wait for a processor, and not for Redis.
 */
function keepToOneProcessor(): void {
  const { status } = spawnSync('taskset', ['-acp', '0', String(process.pid)]);
  if (status !== 0) console.log('No taskset here: where processors are few, the reader waits for one.');
}

async function fill(redis: Redis): Promise<void> {
  const strings = `for i = ARGV[1], ARGV[2] do redis.call('SET', 'small:' .. i, 'value of the key ' .. i) end`;
  for (let from = 0; from < KEYS - COLLECTIONS; from += BATCH)
    await redis.eval(strings, 0, from, Math.min(from + BATCH, KEYS - COLLECTIONS) - 1);
  const pipeline = redis.pipeline();
  const members = Array.from({ length: 1_000 }, (_, number) => `member ${number}`);
  for (let number = 0; number < COLLECTIONS / 4; number++) {
    pipeline.rpush(`list:${number}`, ...members);
    pipeline.sadd(`set:${number}`, ...members);
    pipeline.hset(`hash:${number}`, ...members.flatMap((member) => [member, 'value']));
    pipeline.zadd(`sorted:${number}`, ...members.flatMap((member, score) => [score, member]));
  }
  await pipeline.exec();
}

function ownScanners(app: INestApplicationContext): Scanner[] {
  const inspector = new RedisInspector(app.get(getRedisConnectionToken()));
  return [
    {
      name: 'rednest, bigKeys by bytes',
      run: async (signal) => (await inspector.bigKeys({ signal })).scanned,
    },
    {
      name: 'rednest, bigKeys by elements',
      run: async (signal) => (await inspector.bigKeys({ by: 'elements', signal })).scanned,
    },
    {
      name: 'rednest, staleKeys',
      run: async (signal) => (await inspector.staleKeys({ idleFor: '1d', signal })).scanned,
    },
  ];
}

/** Those that there are on this machine. */
async function redisCliScanners(): Promise<Scanner[]> {
  const isThere = await runCli(['--version']).then(
    (code) => code === 0,
    () => false,
  );
  if (!isThere) console.log('There is no redis-cli here: rednest alone.');
  const names = isThere ? ['--bigkeys', '--memkeys'] : [];
  return names.map((option) => ({
    name: `redis-cli ${option}`,
    run: async (signal) => {
      await runCli(['-u', redisUrl(), option], signal);
      return KEYS;
    },
  }));
}

async function runCli(args: readonly string[], signal?: AbortSignal): Promise<number | null> {
  const child = spawn('redis-cli', args, { stdio: 'ignore' });
  signal?.addEventListener('abort', () => child.kill(), { once: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function compareScanners(scanners: readonly Scanner[]): Promise<Table> {
  const reader = fork(new URL('./reader.js', import.meta.url), [redisUrl(), String(KEYS - COLLECTIONS)]);
  // After the reader, which may run where it likes.
  keepToOneProcessor();
  try {
    await messageOf(reader);
    const figures = new Map<string, Record<string, number>>();
    for (const scanner of scanners) figures.set(scanner.name, await measure(scanner, reader));
    const own = [...figures].filter(([name]) => name.startsWith('rednest'));
    return {
      title: `${KEYS} keys, and one GET a millisecond of another process`,
      figures,
      goals: own.map(([name, row]) =>
        atMost(`${name}: p99 of the GETs, times that without`, row['ratio']!, 2),
      ),
      notes: [
        `p99 in milliseconds, medians of ${ROUNDS} rounds of ${PHASE / 1_000} s without and as long with it; "all keys" is one whole walk.`,
      ],
    };
  } finally {
    if (reader.connected) reader.disconnect();
    if (reader.exitCode === null) await once(reader, 'exit');
  }
}

async function measure(scanner: Scanner, reader: ChildProcess): Promise<Record<string, number>> {
  const without: number[] = [];
  const during: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const quiet = await p99Of(reader, () => wait(PHASE));
    const busy = await p99Of(reader, () => runFor(PHASE, scanner));
    // The first one warms up.
    if (round > 0) without.push(quiet);
    if (round > 0) during.push(busy);
  }
  const from = performance.now();
  const keys = await scanner.run(new AbortController().signal);
  const seconds = (performance.now() - from) / 1_000;
  return {
    'p99 without': rounded(median(without)),
    'p99 with it': rounded(median(during)),
    ratio: rounded(medianRatio(during, without)),
    'all keys, s': rounded(seconds),
    'keys a second': Math.round(keys / seconds),
  };
}

async function p99Of(reader: ChildProcess, work: () => Promise<unknown>): Promise<number> {
  await ask(reader);
  await work();
  return ask(reader);
}

async function ask(reader: ChildProcess): Promise<number> {
  const answer = messageOf(reader);
  reader.send('p99');
  return (await answer) as number;
}

/** What is done sooner begins again. */
async function runFor(milliseconds: number, scanner: Scanner): Promise<void> {
  const signal = AbortSignal.timeout(milliseconds);
  while (!signal.aborted) await scanner.run(signal);
}
