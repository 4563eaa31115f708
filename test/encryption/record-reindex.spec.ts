import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Transform, TransformationType } from 'class-transformer';
import { Encrypted, EncryptionConfigurationError, RedisPermissionError } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { logger } from '../../src/encryption/encryption-logger.js';
import {
  AMEX,
  digitsOf,
  MASTERCARD,
  ProfilesApplication,
  VISA,
  type PaymentProfile,
} from './fixtures/profiles.js';

const encryption = { key: randomBytes(32), namespace: 'app' };
const USER = { username: 'app', password: 'secret' };

let server: RedisServer;
let its: ProfilesApplication;
/** Another replica. */
let other: ProfilesApplication;
beforeAll(async () => {
  server = await startRedis({
    acl: ['app on >secret resetkeys ~app:* +@all', 'default on nopass ~* &* +@all'],
  });
  its = await ProfilesApplication.start({ ...server.options, ...USER }, encryption);
  other = await ProfilesApplication.start({ ...server.options, ...USER }, encryption);
});
afterAll(async () => {
  await its[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await server.stop();
});
beforeEach(async () => void (await (await server.admin()).flushdb()));

const save = (id: string, cardNumber: string, more: Partial<PaymentProfile> = {}) =>
  its.profiles.save(id, { holder: id, cardNumber, ...more });
const recordKey = (id: string) => `app:payment-profile:${id}`;
const entryOf = (cardNumber: string) => its.entry('cardNumber', digitsOf(cardNumber));

/** Puts a record into the entry of a card, as somebody can who can write to Redis. */
async function enter(cardNumber: string, id: string): Promise<void> {
  await (await server.admin()).zadd(entryOf(cardNumber), Date.now(), `${'x'.repeat(11)}${id}`);
}

describe('what cannot be read', () => {
  class Simple {
    @Encrypted({ index: true }) code!: string;
  }
  class Coupon {
    @Encrypted({ index: true })
    @Transform(({ value, type }) => {
      if (type === TransformationType.PLAIN_TO_CLASS && value === 'XMAS') throw new Error('XMAS');
      return value as unknown;
    })
    code!: string;
  }

  it('is left out by find and said to be refused, and the others are found', async () => {
    for (const id of ['a', 'b', 'c']) await save(id, VISA);
    const admin = await server.admin();
    const [raw] = (await admin.callBuffer('HMGET', recordKey('b'), 'cardNumber')) as [Buffer];
    raw[raw.length - 1]! ^= 1;
    await admin.hset(recordKey('b'), 'cardNumber', raw);
    await admin.set(recordKey('text'), 'no record');
    await admin.hset(recordKey('no-json'), 'holder', 'Ada');
    for (const id of ['text', 'no-json']) await enter(VISA, id);
    const { refused } = its.service.stats();
    expect(await its.idsOf(VISA)).toEqual(['a', 'c']);
    expect(its.service.stats().refused).toBe(refused + 1);
    await expect(its.profiles.load('b')).rejects.toThrow(/altered/);
    // They are not taken out: whose they are is not known.
    expect(await admin.zcard(entryOf(VISA))).toBe(5);
  });

  it('ends find where it is Redis that refuses', async () => {
    await save('a', VISA);
    const admin = await server.admin();
    await admin.acl('SETUSER', 'app', 'resetkeys', '~app:idx:*');
    try {
      await expect(its.idsOf(VISA)).rejects.toBeInstanceOf(RedisPermissionError);
    } finally {
      await admin.acl('SETUSER', 'app', 'resetkeys', '~app:*');
    }
  });

  it('does not end find and reindex where it is the class that throws', async () => {
    const coupons = its.records.for(Coupon);
    const simple = other.records.for(Simple, { name: 'coupon' });
    await Promise.all(['a', 'b'].map((id) => simple.save(id, { code: 'XMAS' })));
    await simple.save('c', { code: 'SPRING' });
    const warn = jest.spyOn(logger, 'warn');
    expect(await coupons.find('code', 'XMAS')).toEqual([]);
    expect(warn.mock.calls.map(String)).toEqual([expect.stringMatching(/Coupon.*left out(?!.*XMAS)/)]);
    warn.mockRestore();
    const admin = await server.admin();
    await admin.del(...(await admin.keys('app:idx:coupon.*')));
    expect(await coupons.reindex()).toEqual({ done: 3, reindexed: 1, left: 2, completed: true });
    expect(await coupons.find('code', 'SPRING')).toMatchObject([{ id: 'c' }]);
  });
});

describe('reindex', () => {
  const STRANGE = ['a b', 'a:b', 'a%3Ab', '{a}', 'ü*?[x]', 'idx'];

  it('puts back what was lost without its record, and leaves what is there', async () => {
    const admin = await server.admin();
    for (const id of STRANGE) await save(id, VISA, { email: 'a@example.org' });
    await save('kept', MASTERCARD);
    await its.profiles.save('persisted', { holder: 'Ada', cardNumber: AMEX }, { ttl: '1h' });
    await admin.persist(recordKey('persisted'));
    await admin.set(recordKey('text'), 'no record');
    await admin.hset('app:payment-profile:%zz', 'holder', '"foreign"');
    await admin.del(entryOf(VISA));
    const [kept] = await admin.zrange(entryOf(MASTERCARD), 0, '-1');
    expect(await its.idsOf(VISA)).toEqual([]);
    const steps: unknown[] = [];
    const onProgress = (progress: object) => {
      steps.push(progress);
      throw new Error('of the application');
    };
    const count = STRANGE.length + 1;
    const { completed, ...counts } = await its.profiles.reindex({ concurrency: 3, onProgress });
    expect([completed, counts]).toEqual([true, { done: count + 2, reindexed: count, left: 1 }]);
    expect(steps.at(-1)).toEqual(counts);
    expect(await its.idsOf(VISA)).toEqual(STRANGE.toSorted());
    expect(await admin.pttl(entryOf(AMEX))).toBe(-1);
    expect(await admin.zrange(entryOf(MASTERCARD), 0, '-1')).toEqual([kept]);
    expect(await its.profiles.reindex()).toMatchObject({ reindexed: 0, left: 1 });
    for (const id of STRANGE) await its.profiles.delete(id);
    expect(await admin.exists(entryOf(VISA), its.entry('email', 'a@example.org'))).toBe(0);
  });

  it('puts in what was saved without an index, or with another', async () => {
    class Before {
      @Encrypted() code!: string;
      @Encrypted({ index: true }) name!: string;
    }
    class After {
      @Encrypted({ index: true }) code!: string;
      @Encrypted({ index: (name) => name.toLowerCase() }) name!: string;
    }
    const plans = other.records.for(After, { name: 'tariff' });
    await its.records.for(Before, { name: 'tariff' }).save('a', { code: 'XL', name: 'Large' });
    expect([await plans.find('code', 'XL'), await plans.find('name', 'LARGE')]).toEqual([[], []]);
    expect(await plans.reindex()).toEqual({ done: 1, reindexed: 1, left: 0, completed: true });
    expect(await plans.find('code', 'XL')).toMatchObject([{ id: 'a' }]);
    expect(await plans.find('name', 'LARGE')).toMatchObject([{ id: 'a' }]);
    expect(await (await server.admin()).keys('app:idx:tariff.*')).toHaveLength(2);
  });

  it('loses none that is saved or deleted meanwhile, and stops where it is told to', async () => {
    const admin = await server.admin();
    const ids = Array.from({ length: 60 }, (_, position) => `id${position}`);
    await Promise.all(ids.map((id) => save(id, VISA)));
    await admin.del(entryOf(VISA));
    const writes = ids.map((id, position) =>
      position % 3 === 0 ? other.profiles.delete(id) : save(id, position % 3 === 1 ? VISA : MASTERCARD),
    );
    const [report] = await Promise.all([other.profiles.reindex(), ...writes]);
    expect(report.completed).toBe(true);
    expect(await its.idsOf(VISA)).toEqual(ids.filter((_, position) => position % 3 === 1).toSorted());
    expect(await its.idsOf(MASTERCARD)).toEqual(ids.filter((_, position) => position % 3 === 2).toSorted());
    const stopped = await its.profiles.reindex({ signal: AbortSignal.abort() });
    expect(stopped).toEqual({ done: 0, reindexed: 0, left: 0, completed: false });
    await expect(its.profiles.reindex({ concurrency: 0 })).rejects.toBeInstanceOf(
      EncryptionConfigurationError,
    );
  });
});
