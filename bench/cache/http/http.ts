import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { takeTurns } from '../../support/rounds.js';
import { median, rounded } from '../../support/statistics.js';
import { timesAsFast, type Table } from '../../support/report.js';
import { load } from './load.js';
import { payloadOf, type Size } from './payloads.js';

const rounds = 7;
const pressure = { connections: 32, milliseconds: 250 };

type Platform = 'express' | 'fastify';

const routes = [
  { name: 'rednest', path: 'rednest' },
  { name: 'prepared Buffer', path: 'prepared' },
  { name: 'prepared Buffer, the same headers', path: 'described' },
  { name: 'prepared Buffer, an interceptor', path: 'intercepted' },
  { name: 'prepared Buffer, end()', path: 'ended', platform: 'express' },
  { name: '@nestjs/cache-manager', path: 'cache-manager' },
  { name: 'plain handler', path: 'plain' },
];

const cases: { platform: Platform; size: Size; timesCacheManager?: number }[] = [
  { platform: 'express', size: '1k' },
  { platform: 'express', size: '100k', timesCacheManager: 3.5 },
  { platform: 'fastify', size: '1k' },
  { platform: 'fastify', size: '100k', timesCacheManager: 6 },
];

/** The server is a process of its own; this one sends the requests. */
export async function* http(): AsyncGenerator<Table> {
  for (const platform of ['express', 'fastify'] as const) {
    const server = fork(new URL('./server.js', import.meta.url), [platform]);
    try {
      const port = await portOf(server);
      for (const one of cases.filter((each) => each.platform === platform))
        yield await measure(server, port, one);
    } finally {
      if (server.connected) server.disconnect();
      if (server.exitCode === null) await once(server, 'exit');
    }
  }
}

async function portOf(server: ChildProcess): Promise<number> {
  const [message] = (await Promise.race([
    once(server, 'message'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`The server ended with code ${code}`))),
  ])) as [{ port: number }];
  return message.port;
}

async function measure(
  server: ChildProcess,
  port: number,
  { platform, size, timesCacheManager }: (typeof cases)[number],
): Promise<Table> {
  const contenders: Served[] = [];
  for (const { name, path } of routes.filter((route) => !route.platform || route.platform === platform)) {
    await check(port, `/${path}/${size}`, size, name);
    contenders.push(new Served(name, server, port, `/${path}/${size}`));
  }
  const measured = await takeTurns(contenders, rounds);
  const goals = [timesAsFast(measured, 'prepared Buffer', 0.85)];
  if (timesCacheManager) goals.push(timesAsFast(measured, '@nestjs/cache-manager', timesCacheManager));
  return {
    title: `HTTP, ${size} of JSON on ${platform}, ${pressure.connections} connections`,
    measured,
    goals,
    notes: [`The server's processor time for each, in µs: ${contenders.map(String).join('; ')}.`],
  };
}

class Served {
  readonly #processorTimes: number[] = [];

  constructor(
    readonly name: string,
    private readonly server: ChildProcess,
    private readonly port: number,
    private readonly path: string,
  ) {}

  async measure(): Promise<number> {
    const before = await processorTimeOf(this.server);
    const { rate, answered } = await load(this.port, this.path, pressure);
    this.#processorTimes.push(((await processorTimeOf(this.server)) - before) / answered);
    return rate;
  }

  /** This differs less than the rate where processes share a processor. */
  toString(): string {
    return `${this.name} ${rounded(median(this.#processorTimes))}`;
  }
}

/** In microseconds. */
async function processorTimeOf(server: ChildProcess): Promise<number> {
  server.send({});
  const [message] = (await once(server, 'message')) as [{ processorTime: number }];
  return message.processorTime;
}

/** All answer alike, and what caches has it in its cache from here on. */
async function check(port: number, path: string, size: Size, name: string): Promise<void> {
  const expected = JSON.stringify(payloadOf(size));
  let cached: string | null = null;
  for (let time = 0; time < 3; time++) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    cached = response.headers.get('x-cache');
    if ((await response.text()) !== expected)
      throw new Error(`${path} answers something else than the others`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (cached !== null && cached !== 'HIT') throw new Error(`${name} does not cache: X-Cache is ${cached}`);
}
