import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ScanProgress } from 'rednest/diagnostics';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Opened } from '../support/opened.js';
import { openInspector } from './fixtures/open-inspector.js';

/** Two million take the CI too long: see bench/diagnostics.bench.ts. */
const KEYS = 100_000;
const BIG = 30;
/** What is kept on the heap: the names of all keys alone are more. */
const MOST_HEAP = 5 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe(`bigKeys over ${KEYS} keys`, () => {
  const opened = new Opened();
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ config: { 'enable-debug-command': 'yes' } });
    const redis = await server.admin();
    // Names of 100 bytes.
    await redis.call('DEBUG', 'POPULATE', KEYS, `${'long'.repeat(23)}:`, 20);
    const pipeline = redis.pipeline();
    for (let number = 0; number < BIG; number++)
      pipeline.rpush(`big:${number}`, ...Array<string>(1_000 + number * 100).fill('element'));
    await pipeline.exec();
  });
  afterAll(() => server.stop());

  it('is right, with little memory, while others write and read', async () => {
    const { inspector } = await openInspector(opened, server.options);
    const redis = await server.admin();
    const told: ScanProgress[] = [];
    const heaps: number[] = [];
    const onProgress = (progress: ScanProgress): void => {
      told.push(progress);
      if (told.length % 40 === 1) {
        collectGarbage();
        heaps.push(process.memoryUsage().heapUsed);
      }
      // Come and go meanwhile, and change nothing of what is told.
      void redis.multi().set('comes', 'x').rename('comes', 'goes').unlink('goes').exec();
    };
    const report = await inspector.bigKeys({ top: 10, onProgress });
    expect(report).toMatchObject({ complete: true, failure: undefined, omitted: [] });
    const names = Array.from({ length: BIG }, (_, number) => `big:${number}`);
    const sizes = await Promise.all(
      names.map(async (key) => ({ key, bytes: Number(await redis.memory('USAGE', key)) })),
    );
    const biggest = sizes.toSorted((left, right) => right.bytes - left.bytes).slice(0, 10);
    expect(report.keys).toMatchObject(biggest);
    expect(report.byType).toMatchObject({ string: { keys: KEYS }, list: { keys: BIG } });
    expect(report.scanned).toBe(KEYS + BIG);
    expect(told.every(({ total }) => total === KEYS + BIG)).toBe(true);
    expect(told.at(-1)!.done).toBe(KEYS + BIG);
    const done = told.map((progress) => progress.done);
    expect(done).toEqual(done.toSorted((left, right) => left - right));
    expect(heaps.length).toBeGreaterThan(3);
    expect(Math.max(...heaps.map((heap) => heap - heaps[0]!))).toBeLessThan(MOST_HEAP);
  }, 120_000);
});
