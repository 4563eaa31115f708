import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Exclude, Expose, instanceToPlain, Transform, Type } from 'class-transformer';
import fc from 'fast-check';
import {
  Encrypted,
  EncryptionConfigurationError,
  EncryptionSerializationError,
  EncryptionUnknownKeyError,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Address, PaymentProfile, ProfilesApplication, VISA } from './fixtures/profiles.js';

let server: RedisServer;
let its: ProfilesApplication;
beforeAll(async () => {
  server = await startRedis();
  its = await ProfilesApplication.start(server.options, { key: randomBytes(32), namespace: 'app' });
});
afterAll(async () => {
  await its[Symbol.asyncDispose]();
  await server.stop();
});

const mask = Transform(() => '****', { toPlainOnly: true });

/** What comes of a save, as text; nothing is left of it in Redis. */
async function refusalOf<T extends object>(classRef: new () => T, record: Partial<T>): Promise<string> {
  const records = its.records.for(classRef);
  const texts: string[] = [];
  for (const each of [record, Object.assign(new classRef(), record)]) {
    const failure = await records.save(1, each as never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EncryptionConfigurationError);
    texts.push(String(failure));
  }
  expect(await records.load(1)).toBeUndefined();
  return texts.join('\n');
}

describe('a record whose decorators mask or leave out', () => {
  it('an encrypted property is not saved as that', async () => {
    class Masked {
      @Encrypted() @mask card!: string;
    }
    class Hidden {
      @Encrypted() @Exclude({ toPlainOnly: true }) card!: string;
    }
    for (const classRef of [Masked, Hidden]) {
      const refusal = await refusalOf(classRef, { card: 'secret' });
      expect(refusal).toMatch(/card: nothing was saved.*class of its own.*groups: \['answer'\]/);
      expect(refusal).not.toContain('secret');
    }
  });

  it('a readable property, or one within another, is not saved either', async () => {
    class Within {
      @Exclude({ toPlainOnly: true }) street!: string;
    }
    class Readable {
      @Encrypted() card?: string;
      @Exclude({ toPlainOnly: true }) holder?: string;
      @Exclude() gone?: string;
      @mask last?: string;
      @Type(() => Within) address?: Within;
    }
    const address = Object.assign(new Within(), { street: 'x' });
    for (const one of [{ holder: 'x' }, { gone: 'x' }, { last: 'x' }, { address }])
      expect(await refusalOf(Readable, { card: 'x', ...one })).toContain(`${Object.keys(one)[0]!}: nothing`);
  });

  it('in a group is saved as it is, and masked in answers', async () => {
    class Grouped {
      @Encrypted({ index: true })
      @Transform(({ value }) => `****${String(value).slice(-4)}`, { groups: ['answer'] })
      card!: string;
    }
    const grouped = its.records.for(Grouped);
    await grouped.save(1, { card: '4111 1111' });
    const loaded = await grouped.load(1);
    expect(loaded).toEqual(Object.assign(new Grouped(), { card: '4111 1111' }));
    expect(instanceToPlain(loaded, { groups: ['answer'] })).toEqual({ card: '****1111' });
    expect(await grouped.find('card', '4111 1111')).toHaveLength(1);
  });
});

describe('what is saved', () => {
  it('is nothing that others say: getters and methods, under whichever name they are exposed', async () => {
    class Derived {
      @Encrypted() card!: string;
      @Expose() get whole(): string {
        return this.card;
      }
      @Expose({ name: 'last4' }) get lastFour(): string {
        return this.card.slice(-4);
      }
      @Expose() shown(): string {
        return this.card;
      }
    }
    const derived = its.records.for(Derived);
    await derived.save(1, Object.assign(new Derived(), { card: '4111' }));
    expect(await (await server.admin()).hkeys('app:derived:1')).toEqual(['card']);
    expect(await derived.load(1)).toMatchObject({ card: '4111', whole: '4111', lastFour: '4111' });
  });

  it('may lack a property that the class begins with', async () => {
    class Initial {
      @Encrypted() card = '1';
      status?: string | undefined = 'new';
    }
    const initial = its.records.for(Initial);
    await initial.save(1, { card: '2', status: undefined });
    expect(await initial.load(1)).toEqual({ card: '2', status: 'new' });
  });

  it('is nothing that JSON would empty', async () => {
    class Money {
      readonly #amount = 5;
      get amount(): number {
        return this.#amount;
      }
    }
    class Priced {
      @Encrypted() card = '1';
      price?: unknown;
    }
    const priced = its.records.for(Priced);
    for (const price of [new Money(), new Date(Number.NaN)])
      await expect(priced.save(1, { card: '1', price })).rejects.toThrow(/price/);
    expect(await priced.load(1)).toBeUndefined();
    await priced.save(1, { card: '1', price: {} });
  });

  it('may be written otherwise, where the way back is known', async () => {
    class Rich {
      @Encrypted()
      @Transform(({ value }) => BigInt(value as string), { toClassOnly: true })
      @Transform(({ value }) => String(value), { toPlainOnly: true })
      amount!: bigint;
      @Type(() => String) tags!: Map<string, string>;
      @Expose({ name: 'written' }) renamed!: string;
      @Encrypted() @Type(() => Address) addresses!: Address[];
      @Type(() => Date) since!: Date;
      method = () => 'not saved';
    }
    const rich = its.records.for(Rich);
    const saved = Object.assign(new Rich(), {
      amount: 2n ** 70n,
      tags: new Map([['a', 'b']]),
      renamed: 'x',
      addresses: [Object.assign(new Address(), { street: 'Bahnhofstrasse' })],
      since: new Date('2026-01-02'),
    });
    await rich.save(1, saved);
    expect(await rich.load(1)).toEqual(Object.assign(saved, { method: expect.any(Function) }));
  });

  it('is not what a getter makes of it, for answers: that would be readable', async () => {
    class Shown {
      @Encrypted() card!: string;
      @Expose() get last(): string {
        return this.card.slice(-4);
      }
    }
    const shown = its.records.for(Shown);
    await shown.save(1, { card: '4111 1111', last: '' });
    expect(await (await server.admin()).hkeys('app:shown:1')).toEqual(['card']);
    expect((await shown.load(1))!.last).toBe('1111');
  });

  it('is whatever JSON can say', async () => {
    class Anything {
      @Encrypted() secret?: unknown;
      open?: unknown;
    }
    const records = its.records.for(Anything);
    const values = fc.jsonValue({ noUnicodeString: false });
    await fc.assert(
      fc.asyncProperty(values, values, async (secret, open) => {
        await records.save(1, { secret, open });
        const loaded = await records.load(1);
        expect(JSON.stringify([loaded!.secret, loaded!.open])).toBe(JSON.stringify([secret, open]));
      }),
      { numRuns: 25 },
    );
    const failures = [NaN, Infinity, new Map([[1, 2]]), new Set([1]), /a/, new Uint8Array(1)];
    for (const value of failures)
      for (const record of [{ secret: { in: [value] } }, { secret: 1, open: value }])
        await expect(records.save(2, record)).rejects.toThrow(EncryptionSerializationError);
    expect(await records.load(2)).toBeUndefined();
  });

  it('is no array, and nothing that a decorator cannot make again', async () => {
    class Listed {
      @Encrypted() map?: string;
    }
    class Thrower {
      @Encrypted()
      @Transform(
        ({ value }) => {
          throw new Error(String(value));
        },
        { toClassOnly: true },
      )
      text!: string;
    }
    await expect(its.records.for(Listed).save(1, [] as never)).rejects.toThrow('it is an array');
    const thrower = Object.assign(new Thrower(), { text: 'secret' });
    const failure = await its.records.for(Thrower).save(1, thrower).catch(String);
    expect(failure).toMatch(/EncryptionConfigurationError.*throws an error/s);
    expect(failure).not.toContain('secret');
  });
});

describe('a class', () => {
  it('has its name for itself in a namespace', () => {
    class Invoice {
      @Encrypted() text!: string;
    }
    class Other {
      @Encrypted() text!: string;
    }
    expect(() => its.records.for(Invoice)).not.toThrow();
    expect(() => its.records.for(Invoice)).not.toThrow();
    expect(() => its.records.for(Other, { name: 'invoice' })).toThrow(
      /name: 'invoice' is taken by the class Invoice/,
    );
    expect(() => its.records.for(Other, { name: 'payment-profile' })).toThrow(/the class PaymentProfile/);
    expect(() => its.records.for(Other, { name: 'invoice', namespace: 'elsewhere' })).not.toThrow();
    expect(() => its.records.for(PaymentProfile)).not.toThrow();
  });

  it('encrypts no accessor: what is behind it would be readable', () => {
    class Accessor {
      kept = '';
      @Encrypted() get text(): string {
        return this.kept;
      }
    }
    expect(() => its.records.for(Accessor)).toThrow(/text: is an accessor/);
  });
});

describe('where a key or a class is not there', () => {
  it('a search finds nothing, a load says why, and a rotation names the index that it leaves', async () => {
    await its.profiles.save('a', { holder: 'Ada', cardNumber: VISA });
    const options = { key: randomBytes(32), namespace: 'app' };
    await using other = await ProfilesApplication.start(server.options, options);
    expect(await other.idsOf(VISA)).toEqual([]);
    await expect(other.profiles.load('a')).rejects.toThrow(EncryptionUnknownKeyError);

    const admin = await server.admin();
    await admin.flushdb();
    const token = `${its.service.keys[0]!.id}.${'t'.repeat(43)}`;
    for (const index of ['invoice.number', 'invoice.customer'])
      await admin.zadd(`app:idx:${index}:${token}`, 0, 'member');
    expect(await other.store.rotate()).toMatchObject({ indexEntriesLeft: 2 });
    expect(other.log.texts('EncryptionModule')).toEqual([
      expect.stringMatching(/leaves the index 'invoice\.(number|customer)': call EncryptedRecords\.for/),
      expect.stringContaining('0 refused, 2 index entries left'),
    ]);
  });
});
