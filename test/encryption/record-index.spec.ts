import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Encrypted, EncryptionConfigurationError, EncryptionService, hashSlot } from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import {
  AMEX,
  digitsOf,
  MASTERCARD,
  PaymentProfile,
  ProfilesApplication,
  VISA,
} from './fixtures/profiles.js';

const opened = new Opened();
const encryption = { key: randomBytes(32), namespace: 'app' };
const USER = { username: 'app', password: 'secret' };
const ALL = 'on >secret resetkeys ~app:* +@all';

let server: RedisServer;
let its: ProfilesApplication;
/** Another replica. */
let other: ProfilesApplication;
beforeAll(async () => {
  server = await startRedis({ acl: [`app ${ALL}`, 'default on nopass ~* &* +@all'] });
  its = await ProfilesApplication.start({ ...server.options, ...USER }, encryption);
  other = await ProfilesApplication.start({ ...server.options, ...USER }, encryption);
});
afterAll(async () => {
  await its[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await server.stop();
});

const save = (id: string, cardNumber: string, more: Partial<PaymentProfile> = {}) =>
  its.profiles.save(id, { holder: id, cardNumber, ...more });
const clear = async () => void (await (await server.admin()).flushdb());
const recordKey = (id: string) => `app:payment-profile:${id}`;
const entryOf = (cardNumber: string) => its.entry('cardNumber', digitsOf(cardNumber));

/** Lets the application write to these keys only, until `work` is done. */
async function writingOnly<T>(patterns: string[], work: () => Promise<T>): Promise<T> {
  const admin = await server.admin();
  await admin.acl(
    'SETUSER',
    'app',
    ...`resetkeys %R~app:* ${patterns.map((each) => `~${each}`).join(' ')}`.trim().split(' '),
  );
  try {
    return await work();
  } finally {
    await admin.acl('SETUSER', 'app', ...ALL.split(' '));
  }
}

/** As if the members of an entry were older than any save. */
async function age(entry: string): Promise<void> {
  const admin = await server.admin();
  for (const member of await admin.zrange(entry, 0, '-1')) await admin.zincrby(entry, -61_000, member);
}

describe('find', () => {
  beforeAll(clear);

  it('finds all records with a value, however it is written', async () => {
    await save('a', VISA);
    await save('b', '4111-1111-1111-1111', { email: 'e\u0301@example.org' });
    await save('c', MASTERCARD);
    expect(await its.idsOf('4111111111111111')).toEqual(['a', 'b']);
    expect(await other.idsOf(MASTERCARD)).toEqual(['c']);
    expect(await its.idsOf(AMEX)).toEqual([]);
    const [found] = await its.profiles.find('email', '\u00e9@example.org');
    expect(found).toEqual({ id: 'b', record: expect.any(PaymentProfile) });
    expect(found!.record.cardNumber).toBe('4111-1111-1111-1111');
  });

  it('finds a record by what it has now, and leaves no entry behind', async () => {
    await clear();
    await save('a', VISA, { email: 'a@example.org' });
    await save('a', MASTERCARD);
    expect(await its.idsOf(VISA)).toEqual([]);
    expect(await its.idsOf(MASTERCARD)).toEqual(['a']);
    expect(await its.profiles.find('email', 'a@example.org')).toEqual([]);
    expect(await (await server.admin()).keys('*')).toHaveLength(2);
    await its.profiles.delete('a');
    expect(await (await server.admin()).keys('*')).toEqual([]);
  });

  it('does not believe an entry: a record with another value is not found by it', async () => {
    await save('a', VISA);
    await save('b', MASTERCARD);
    const admin = await server.admin();
    const [member] = await admin.zrange(entryOf(MASTERCARD), 0, '-1');
    await admin.zadd(entryOf(VISA), 1, member!);
    expect(await its.idsOf(VISA)).toEqual(['a']);
    await eventually(async () => (await admin.zcard(entryOf(VISA))) === 1);
    expect(await its.idsOf(MASTERCARD)).toEqual(['b']);
  });

  it('says what cannot be found or indexed', async () => {
    class Plan {
      @Encrypted({ index: true }) size!: unknown;
      @Encrypted({ index: () => 5 as never }) wrong?: string;
      @Encrypted() other?: string;
    }
    const plans = its.records.for(Plan);
    for (const property of ['holder', 'nothing', 'constructor', 'other'] as never[])
      await expect(plans.find(property, 'x' as never)).rejects.toThrow(
        new RegExp(`${String(property)}.*@Encrypted`, 's'),
      );
    const failure = await plans.save(1, { size: 987_654 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EncryptionConfigurationError);
    expect(String(failure)).toMatch(/size.*no text/s);
    expect(String(failure)).not.toContain('987');
    await expect(plans.save(1, { size: 'x', wrong: 'y' })).rejects.toThrow(/wrong.*no text/s);
    expect(await plans.load(1)).toBeUndefined();
  });
});

describe('a save that is cut off', () => {
  const before = async () => {
    await clear();
    await save('a', VISA);
  };

  it('before the entry is written leaves all as it was', async () => {
    await before();
    await expect(writingOnly([recordKey('*')], () => save('a', MASTERCARD))).rejects.toThrow(/perm/i);
    expect([await its.idsOf(VISA), await its.idsOf(MASTERCARD)]).toEqual([['a'], []]);
  });

  it('before the record is written leaves it found by what it has, and an entry that goes when it is old', async () => {
    await before();
    await expect(writingOnly(['app:idx:*'], () => save('a', MASTERCARD))).rejects.toThrow(/perm/i);
    await expect(writingOnly(['app:idx:*'], () => save('new', MASTERCARD))).rejects.toThrow(/perm/i);
    expect([await its.idsOf(VISA), await its.idsOf(MASTERCARD)]).toEqual([['a'], []]);
    const admin = await server.admin();
    // They might be those of saves that go on.
    expect(await admin.zcard(entryOf(MASTERCARD))).toBe(2);
    await age(entryOf(MASTERCARD));
    expect(await its.idsOf(MASTERCARD)).toEqual([]);
    await eventually(async () => (await admin.exists(entryOf(MASTERCARD))) === 0);
  });

  it('before the former entry is removed finds it by what it has', async () => {
    await before();
    await writingOnly([recordKey('*'), entryOf(MASTERCARD)], () => save('a', MASTERCARD));
    expect([await its.idsOf(VISA), await its.idsOf(MASTERCARD)]).toEqual([[], ['a']]);
    await age(entryOf(VISA));
    expect(await its.idsOf(VISA)).toEqual([]);
    await eventually(async () => (await (await server.admin()).exists(entryOf(VISA))) === 0);
    expect(await its.idsOf(MASTERCARD)).toEqual(['a']);
  });

  it('after the record was removed leaves nothing that is found', async () => {
    await before();
    await writingOnly([recordKey('*')], () => its.profiles.delete('a'));
    expect(await its.idsOf(VISA)).toEqual([]);
    await save('a', VISA);
    await age(entryOf(VISA));
    expect(await its.idsOf(VISA)).toEqual(['a']);
    await eventually(async () => (await (await server.admin()).zcard(entryOf(VISA))) === 1);
    expect(await its.idsOf(VISA)).toEqual(['a']);
  });
});

describe('saves of one record at once', () => {
  it('leave it found by what it has and by nothing else, whoever comes last', async () => {
    await clear();
    const cards = [VISA, MASTERCARD, AMEX];
    const finds: Promise<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      const writes = Array.from({ length: 12 }, (_, position) => {
        const { profiles } = position % 2 === 0 ? its : other;
        if (position === round % 12) return profiles.delete('a');
        return profiles.save('a', { holder: 'Ada', cardNumber: cards[(position + round) % 3]! });
      });
      finds.push(other.profiles.find('cardNumber', cards[round % 3]!));
      await Promise.all(writes);
      const loaded = await its.profiles.load('a');
      for (const card of cards)
        expect(await its.idsOf(card)).toEqual(loaded?.cardNumber === card ? ['a'] : []);
    }
    await Promise.all(finds);
    await save('a', VISA);
    const admin = await server.admin();
    expect((await admin.keys('*')).toSorted()).toEqual([entryOf(VISA), recordKey('a')].toSorted());
    expect(await admin.zcard(entryOf(VISA))).toBe(1);
  });
});

describe('an entry', () => {
  beforeAll(clear);

  it('stays as long as the record that stays longest', async () => {
    const admin = await server.admin();
    const left = () => admin.pttl(entryOf(VISA));
    await its.profiles.save('a', { holder: 'a', cardNumber: VISA }, { ttl: '1h' });
    expect(await left()).toBeGreaterThan(3_600_000);
    await its.profiles.save('b', { holder: 'b', cardNumber: VISA }, { ttl: '2h' });
    await save('a', VISA);
    expect(await left()).toBeGreaterThan(7_200_000);
    await save('c', VISA);
    expect(await left()).toBe(-1);
    await its.profiles.save('c', { holder: 'c', cardNumber: VISA }, { ttl: '1h' });
    expect(await left()).toBe(-1);
  });

  it('that stays for ever does not keep what belongs to records that are gone', async () => {
    await clear();
    const admin = await server.admin();
    for (const id of ['stays', 'gone', 'late']) await save(id, VISA);
    await admin.del(recordKey('gone'), recordKey('late'));
    await age(entryOf(VISA));
    await eventually(async () => {
      await save('new', VISA);
      return (await admin.zcard(entryOf(VISA))) === 2;
    });
    expect(await its.idsOf(VISA)).toEqual(['new', 'stays']);
  });

  it('is not outlived by a record that is given more time while it is saved', async () => {
    const admin = await server.admin();
    const runs = Array.from({ length: 20 }, async (_, run) => {
      const id = `run${run}`;
      await its.profiles.save(id, { holder: id, cardNumber: AMEX, email: id }, { ttl: '1m' });
      await Promise.all([
        its.profiles.save(id, { holder: id, cardNumber: AMEX, email: `${id}b` }),
        other.profiles.save(id, { holder: id, cardNumber: AMEX, email: `${id}c` }, { ttl: '1d' }),
      ]);
      const { email } = (await its.profiles.load(id))!;
      const entry = its.entry('email', email!);
      expect(await admin.pttl(entry)).toBeGreaterThan(await admin.pttl(recordKey(id)));
    });
    await Promise.all(runs);
  });
});

describe('on a Cluster', () => {
  it('records and entries are in slots of their own', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const app = opened.add(await ProfilesApplication.start(cluster.options, encryption));
    const ids = Array.from({ length: 20 }, (_, position) => `id${position}`);
    const cards = [VISA, MASTERCARD, AMEX];
    await Promise.all(
      ids.map((id, position) => app.profiles.save(id, { holder: id, cardNumber: cards[position % 3]! })),
    );
    await Promise.all(ids.map((id) => app.profiles.save(id, { holder: id, cardNumber: VISA })));
    expect(await app.idsOf(VISA)).toEqual(ids.toSorted());
    expect(await app.idsOf(AMEX)).toEqual([]);
    expect(await app.profiles.delete('id0')).toBe(true);
    expect(await app.idsOf(VISA)).toHaveLength(19);
    expect(new Set(ids.map((id) => hashSlot(recordKey(id)))).size).toBeGreaterThan(10);
    // As after a failover in which the master of the entry has lost it.
    const { connection } = EncryptionService.partsOf(app.service);
    await connection.client.del(app.entry('cardNumber', digitsOf(VISA)));
    expect(await app.idsOf(VISA)).toEqual([]);
    expect(await app.profiles.reindex()).toEqual({ done: 19, reindexed: 19, left: 0, completed: true });
    expect(await app.idsOf(VISA)).toHaveLength(19);
  }, 30_000);
});
