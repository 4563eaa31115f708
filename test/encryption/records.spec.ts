import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Exclude, Expose } from 'class-transformer';
import { IsString, ValidateBy } from 'class-validator';
import fc from 'fast-check';
import {
  Encrypted,
  EncryptionConfigurationError,
  EncryptionNotEncryptedError,
  EncryptionRecordInvalidError,
  EncryptionTamperedError,
  type RedisModuleOptions,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Opened } from '../support/opened.js';
import {
  Address,
  contentsOf,
  MASTERCARD,
  PaymentProfile,
  ProfilesApplication,
  VISA,
} from './fixtures/profiles.js';

const opened = new Opened();
const key = randomBytes(32);

let server: RedisServer;
let its: ProfilesApplication;
beforeAll(async () => {
  server = await startRedis();
  its = await ProfilesApplication.start(server.options, { key, namespace: 'app' });
});
afterAll(async () => {
  await its[Symbol.asyncDispose]();
  await server.stop();
});

const start = async (options: object, redis: RedisModuleOptions = server.options) =>
  opened.add(await ProfilesApplication.start(redis, { key, namespace: 'app', ...options }));

const profile = (more: Partial<PaymentProfile> = {}): PaymentProfile =>
  Object.assign(new PaymentProfile(), { holder: 'Ada', cardNumber: VISA, ...more });

class Measurement {
  @Encrypted() value!: unknown;
  kept?: unknown;
}

class Special extends Measurement {
  @Encrypted() bytes?: Buffer;
}

describe('save and load', () => {
  it('keeps an instance, or an object with its properties, and gives an instance', async () => {
    const address = Object.assign(new Address(), { street: 'Bahnhofstrasse' });
    const saved = profile({ address, since: new Date('2026-01-02'), email: 'ada@example.org' });
    await its.profiles.save('instance', saved);
    await its.profiles.save(17, Object.assign({}, saved));
    for (const id of ['instance', '17', 17]) {
      const loaded = await its.profiles.load(id);
      expect(loaded).toEqual(saved);
      expect(loaded).toBeInstanceOf(PaymentProfile);
      expect(loaded!.address).toBeInstanceOf(Address);
    }
    expect(await its.profiles.load('other')).toBeUndefined();
  });

  it('leaves the other properties readable, and shows nothing of those that are encrypted, or of their index', async () => {
    const address = Object.assign(new Address(), { street: 'Bahnhofstrasse' });
    await its.profiles.save('seen', profile({ address, email: 'grace@example.org', holder: 'Grace Hopper' }));
    const admin = await server.admin();
    expect(await admin.hget('app:payment-profile:seen', 'holder')).toBe('"Grace Hopper"');
    const contents = await contentsOf(server);
    expect(contents).toContain('Grace Hopper');
    for (const text of [VISA, VISA.replaceAll(' ', ''), 'grace@', 'Bahnhof'])
      expect(contents).not.toContain(text);
  });

  it('keeps whatever JSON can say, and bytes; inherited properties are encrypted as well', async () => {
    const special = its.records.for(Special);
    const saved = Object.assign(new Special(), {
      value: { a: [1, null] },
      bytes: Buffer.from([0, 255]),
      kept: false,
    });
    await special.save('1', saved);
    expect(await special.load('1')).toEqual(saved);
    const raw = await (await server.admin()).hgetallBuffer('app:special:1');
    expect([raw['value']![0], raw['bytes']![0], raw['kept']!.toString()]).toEqual([0xc1, 0xc1, 'false']);
  });

  it('replaces all of a record; the time to live is the one given, or else the one that there was', async () => {
    const admin = await server.admin();
    await its.profiles.save('replaced', profile({ email: 'old@example.org' }));
    expect(await admin.pttl('app:payment-profile:replaced')).toBe(-1);
    await its.profiles.save('replaced', profile({ cardNumber: MASTERCARD }), { ttl: '1h' });
    expect(await its.profiles.load('replaced')).toEqual(profile({ cardNumber: MASTERCARD }));
    await its.profiles.save('replaced', profile());
    expect(await admin.pttl('app:payment-profile:replaced')).toBeGreaterThan(3_000_000);
    expect(await its.profiles.delete('replaced')).toBe(true);
    expect(await its.profiles.delete('replaced')).toBe(false);
    expect(await its.profiles.load('replaced')).toBeUndefined();
  });

  it('loads a record without one of its properties', async () => {
    await its.profiles.save('part', profile({ email: 'a@example.org' }));
    await (await server.admin()).hdel('app:payment-profile:part', 'cardNumber');
    const { cardNumber, holder } = (await its.profiles.load('part'))!;
    expect([cardNumber, holder]).toEqual([undefined, 'Ada']);
  });

  it('keeps classes apart by name and namespace, in two applications of a process as well', async () => {
    const other = await start({ namespace: 'other' });
    const named = its.records.for(PaymentProfile, { name: 'archive', namespace: 'app.eu' });
    await its.profiles.save('apart', profile());
    expect(await other.profiles.load('apart')).toBeUndefined();
    expect(await named.load('apart')).toBeUndefined();
    await named.save('apart', profile({ holder: 'Eve' }));
    expect(await (await server.admin()).exists('app.eu:archive:apart')).toBe(1);
    expect((await named.find('cardNumber', VISA)).map(({ record }) => record.holder)).toEqual(['Eve']);
    expect((await its.profiles.load('apart'))!.holder).toBe('Ada');
  });

  it('lets no id reach another record, whatever it is made of', async () => {
    const measurements = its.records.for(Measurement);
    const hostile = fc.constantFrom(':', '%', '*', '{', '}', 'idx', '\0', ' ', 'é', 'e\u0301', '%3A');
    const ids = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.array(hostile, { minLength: 1 }).map((all) => all.join('')),
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(ids, { minLength: 2, maxLength: 6 }), async (some) => {
        await Promise.all(some.map((id) => measurements.save(id, { value: `of ${id}` })));
        const loaded = await Promise.all(some.map((id) => measurements.load(id)));
        expect(loaded.map((record) => record?.value)).toEqual(some.map((id) => `of ${id}`));
        for (const id of some) expect(await measurements.delete(id)).toBe(true);
      }),
      { numRuns: 30 },
    );
    expect(await (await server.admin()).keys('app:measurement:*')).toEqual([]);
  });
});

describe('what is refused', () => {
  it('is what class-validator refuses: by property, without the values of encrypted ones, and nothing is written', async () => {
    const wrong = { holder: 5 as never, cardNumber: '1234-secret', address: { street: 'Xy' } };
    const failure = await its.profiles.save('wrong', wrong).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EncryptionRecordInvalidError);
    expect((failure as EncryptionRecordInvalidError).problems).toEqual([
      { property: 'holder', message: 'holder must be a string' },
      { property: 'cardNumber', message: 'cardNumber does not pass isCreditCard' },
      { property: 'address.street', message: 'address.street does not pass minLength' },
    ]);
    expect(await its.profiles.load('wrong')).toBeUndefined();
    expect(await its.idsOf('1234')).toEqual([]);
  });

  it('shows no encrypted value in a message of the application or in what a validator throws', async () => {
    class Told {
      @Encrypted() @IsString({ message: 'not $value' }) text!: string;
      @Encrypted()
      @ValidateBy({
        name: 'thrower',
        validator: {
          validate: (value) => {
            throw new Error(String(value));
          },
        },
      })
      other!: string;
    }
    const told = its.records.for(Told);
    const failure = await told.save(1, { text: 987_654 as never, other: 'secret' }).catch(String);
    expect(failure).toContain('EncryptionRecordInvalidError');
    expect(failure).not.toMatch(/987|secret/);
  });

  it('is what stands in another place than where it was saved, or is not encrypted', async () => {
    const admin = await server.admin();
    const at = (id: string) => `app:payment-profile:${id}`;
    await its.profiles.save('one', profile({ email: 'one@example.org' }));
    await its.profiles.save('two', profile({ email: 'two@example.org' }));
    const raw = (await admin.hgetBuffer(at('one'), 'email'))!;
    await admin.hset(at('two'), 'email', raw);
    await expect(its.profiles.load('two')).rejects.toThrow(EncryptionTamperedError);
    await admin.hset(at('two'), 'email', 'mallory@example.org');
    await expect(its.profiles.load('two')).rejects.toThrow(EncryptionNotEncryptedError);
    await admin.hset(at('one'), 'cardNumber', raw);
    await expect(its.profiles.load('one')).rejects.toThrow("'payment-profile:one', field 'cardNumber'");
  });

  it('is read where migratePlaintext accepts it', async () => {
    const migrating = await start({ migratePlaintext: { until: '2999-01-01' } });
    const admin = await server.admin();
    await admin.hset('app:payment-profile:before', { holder: '"Ada"', cardNumber: JSON.stringify(VISA) });
    expect(await migrating.profiles.load('before')).toEqual(profile());
  });

  it('is a class without an encrypted property, and wrong options', () => {
    class Readable {}
    class Wrong {
      @Encrypted({ index: 'yes' as never }) text!: string;
    }
    const make =
      (...[classRef, options]: Parameters<typeof its.records.for>) =>
      () =>
        its.records.for(classRef, options);
    expect(make(Readable)).toThrow(/Readable.*@Encrypted/s);
    expect(make(Wrong)).toThrow(/text\.index/);
    expect(make(PaymentProfile, { name: 'a:b' })).toThrow(/name/);
    expect(make(PaymentProfile, { name: 'idx' })).toThrow(EncryptionConfigurationError);
    expect(make(PaymentProfile, { prefix: 'x' } as never)).toThrow(/prefix/);
    expect(make(undefined as never)).toThrow(EncryptionConfigurationError);
  });

  it.each(['', '\ud800', NaN, undefined, null, {}])('is the id %j', async (id) => {
    await expect(its.profiles.load(id as never)).rejects.toThrow(EncryptionConfigurationError);
  });

  it('is what would be saved readable although it is to be encrypted', async () => {
    class Renamed {
      @Encrypted() @Expose({ name: 'other' }) renamed!: string;
    }
    class Hidden {
      @Encrypted() @Exclude() hidden!: string;
    }
    class Holder {
      @Encrypted() text!: string;
      inner?: unknown;
    }
    const save = (classRef: new () => object, record: object) => its.records.for(classRef).save(1, record);
    await expect(save(Renamed, { renamed: 'x' })).rejects.toThrow(/renamed/);
    const renamed = Object.assign(new Renamed(), { renamed: 'x' });
    await expect(save(Renamed, renamed)).rejects.toThrow(/renamed/);
    await expect(save(Hidden, { hidden: 'x' })).rejects.toThrow(/hidden/);
    const inner = Object.assign(new Measurement(), { value: 1 });
    await expect(save(Holder, { text: 'x', inner: [inner] })).rejects.toThrow(/inner.*'value'/s);
    await expect(save(Measurement, Object.assign(new Special(), { value: 1 }))).rejects.toThrow(
      /bytes.*Special/s,
    );
  });
});
