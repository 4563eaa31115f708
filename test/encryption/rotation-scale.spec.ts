import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { locationOf } from '../../src/encryption/store/location.js';
import { Opened } from '../support/opened.js';
import { EncryptedApplication, testKey } from './fixtures/encrypted-application.js';
import { TrafficProcess } from './fixtures/traffic-handle.js';
import type { Traffic, Value } from './fixtures/traffic-messages.js';

const KEYS = 100_000;
const BATCH = 5_000;
const OLD = testKey('aaaa0001');
const NEW = testKey('bbbb0002');
const ROTATED = { key: NEW, decryptKeys: [OLD] };

describe('a rotation of 100,000 values', () => {
  const opened = new Opened();

  it('under reads and writes of two processes loses none, leaves none, and keeps every time to live', async () => {
    // They take their time to load: it is filled meanwhile.
    const children = [0, 1].map(() => opened.add(new TrafficProcess()));
    const server = await opened.server({});
    const redis = await server.admin();
    const expiries = await fill(redis, await start(server.options, { key: OLD }));
    const share = (remainder: number) => ({ divisor: 10, remainder });
    await withAll(children, (child, remainder) =>
      child.open({ redis: server.options, encryption: ROTATED, keys: KEYS, share: share(remainder) }),
    );
    const { store } = await start(server.options, ROTATED);

    await withAll(children, (child) => child.begin());
    const report = await store.rotate();
    const traffic = await withAll(children, (child) => child.end());

    expect(report).toMatchObject({ completed: true, refused: 0, usage: { removable: [OLD.id] } });
    expect(report.usage!.keys).toMatchObject([{ values: KEYS }, { values: 0 }]);
    expect(traffic.flatMap(({ faults }) => faults)).toEqual([]);
    for (const { reads, written } of traffic) {
      expect(reads).toBeGreaterThan(0);
      expect(written.size).toBeGreaterThan(0);
    }
    const after = await start(server.options, { key: NEW });
    expect(await wrongValues(after, traffic)).toEqual([]);
    expect(await inBatches((numbers) => expiriesOf(redis, numbers))).toEqual(expiries);
  }, 240_000);

  async function start(...[redis, encryption]: Parameters<typeof EncryptedApplication.start>) {
    return opened.add(await EncryptedApplication.start(redis, encryption));
  }
});

/** Writes values with different times to live, a third of them without. @returns when each expires, in milliseconds; -1 for never */
function fill(redis: Redis, { parts }: EncryptedApplication): Promise<number[]> {
  const from = Date.now() + 3_600_000;
  return inBatches(async (numbers) => {
    const pipeline = redis.pipeline();
    const expiries = numbers.map((key) => (key % 3 === 0 ? -1 : from + key * 7));
    for (const [at, key] of numbers.entries()) {
      const location = locationOf('encrypted', `v:${key}`);
      const raw = parts.values.write({ key, count: 0 }, location);
      if (expiries[at] === -1) pipeline.set(location.redisKey, raw);
      else pipeline.set(location.redisKey, raw, 'PXAT', expiries[at]!);
    }
    await pipeline.exec();
    return expiries;
  });
}

async function expiriesOf(redis: Redis, numbers: number[]): Promise<number[]> {
  const pipeline = redis.pipeline();
  for (const key of numbers) pipeline.pexpiretime(`encrypted:v:${key}`);
  return (await pipeline.exec())!.map(([, expiry]) => Number(expiry));
}

/** Numbers of keys that do not have what was written there last. */
async function wrongValues({ store }: EncryptedApplication, traffic: readonly Traffic[]): Promise<number[]> {
  const values = await inBatches((numbers) => store.getMany<Value>(numbers.map((key) => `v:${key}`)));
  return values.flatMap((value, key) => {
    const count = traffic.map(({ written }) => written.get(key)).find((each) => each !== undefined) ?? 0;
    return value?.key === key && value.count === count ? [] : [key];
  });
}

async function inBatches<T>(work: (numbers: number[]) => Promise<T[]>): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < KEYS; from += BATCH)
    results.push(...(await work(Array.from({ length: BATCH }, (_, at) => from + at))));
  return results;
}

function withAll<T>(
  children: readonly TrafficProcess[],
  work: (child: TrafficProcess, position: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(children.map(work));
}
