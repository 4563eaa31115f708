import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Encrypted,
  EncryptionTamperedError,
  type EncryptionRootOptions,
  type EncryptionService,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openStore } from './fixtures/open-store.js';

const opened = new Opened();
const key = randomBytes(32);
const WEAK: EncryptionRootOptions = { bind: 'none' };
const STRONG: EncryptionRootOptions = { suite: 'committing-aes-256-gcm', bind: 'key' };
const MOVING: EncryptionRootOptions = { ...STRONG, accept: { suite: 'xaes-256-gcm', bind: 'none' } };

class Card {
  holder!: string;

  @Encrypted()
  number!: string;
}

let server: RedisServer;
let namespace = '';
let count = 0;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

async function start(options: EncryptionRootOptions) {
  const its = opened.add(await openStore(server.options, { key, namespace, ...options }));
  return { ...its, cards: its.records.for(Card) };
}

const inspectRaw = async ({ service }: { service: EncryptionService }, name: string) =>
  service.inspect((await (await server.admin()).getBuffer(`${namespace}:${name}`))!);

describe('what is weaker than what is written', () => {
  it('is refused, read while it is accepted, and moved by reads and by rotate', async () => {
    namespace = `app:${count++}`;
    const weak = await start(WEAK);
    await weak.store.setMany({ a: 1, b: 2, c: 3 });
    await weak.store.set('tenant', 4, { context: 't' });
    const strong = await start(STRONG);
    for (const name of ['a', 'b'])
      await expect(strong.store.get(name)).rejects.toThrow(EncryptionTamperedError);
    const moving = await start(MOVING);
    expect(await moving.store.get('a')).toBe(1);
    await eventually(async () => (await inspectRaw(strong, 'a')).binding === 'key');
    const contextOf = (name: string): string | undefined => (name === 'tenant' ? 't' : undefined);
    expect(await moving.store.rotate({ contextOf })).toMatchObject({ reencrypted: 3, refused: 0 });
    expect(await strong.store.getMany(['a', 'b', 'c'])).toEqual([1, 2, 3]);
    expect(await strong.store.get('tenant', { context: 't' })).toBe(4);
    await expect(strong.store.get('tenant', { context: 'u' })).rejects.toThrow(EncryptionTamperedError);
    for (const name of ['a', 'b', 'c', 'tenant'])
      expect(await inspectRaw(strong, name)).toMatchObject({ suite: STRONG.suite, binding: 'key' });
  });

  it('is left as it is where nobody says with which context it is read', async () => {
    namespace = `app:${count++}`;
    await (await start(WEAK)).store.set('a', 1, { context: 't' });
    const moving = await start({ ...MOVING, reencryptOnRead: false });
    expect(await moving.store.rotate()).toMatchObject({ reencrypted: 0, refused: 1 });
    expect(await moving.store.get('a', { context: 't' })).toBe(1);
    expect(await moving.store.rotate({ contextOf: () => 't' })).toMatchObject({ reencrypted: 1, refused: 0 });
    expect(await moving.store.get('a', { context: 't' })).toBe(1);
  });

  it('does not get into a record by way of a rotation', async () => {
    namespace = `app:${count++}`;
    const weak = await start(WEAK);
    await weak.store.set('a', 'forged');
    const moving = await start({ ...MOVING, reencryptOnRead: false });
    await moving.cards.save(1, { holder: 'Ada', number: '4111' });
    const admin = await server.admin();
    await admin.hset(`${namespace}:card:1`, 'number', (await admin.getBuffer(`${namespace}:a`))!);
    await expect(moving.cards.load(1)).rejects.toThrow(EncryptionTamperedError);
    expect(await moving.store.rotate({ contextOf: () => undefined })).toMatchObject({
      reencrypted: 1,
      refused: 1,
    });
    await expect(moving.cards.load(1)).rejects.toThrow(EncryptionTamperedError);
  });

  it('is not made weaker again by what writes less', async () => {
    namespace = `app:${count++}`;
    const strong = await start({ bind: 'key' });
    await strong.store.set('a', 1);
    const weak = await start({ bind: 'none', key: randomBytes(32), decryptKeys: [key] });
    expect(await weak.store.rotate()).toMatchObject({ reencrypted: 1 });
    expect(await inspectRaw(weak, 'a')).toMatchObject({ binding: 'key' });
  });
});

describe('a context that some values have', () => {
  it('is not taken for that of the others by rotate', async () => {
    namespace = `app:${count++}`;
    const before = await start({});
    await before.store.set('with', 1, { context: 't' });
    await before.store.set('without', 2);
    await before.cards.save(1, { holder: 'Ada', number: '4111' });
    const after = await start({ key: randomBytes(32), decryptKeys: [key] });
    expect(await after.store.rotate({ contextOf: () => 't' })).toMatchObject({ reencrypted: 3, refused: 0 });
    expect(await after.store.get('with', { context: 't' })).toBe(1);
    expect(await after.store.get('without')).toBe(2);
    expect(await after.cards.load(1)).toEqual({ holder: 'Ada', number: '4111' });
  });
});

describe('one part of the module', () => {
  it('reads nothing of another: service, store and records are apart, whatever the store binds its values to', async () => {
    namespace = `app:${count++}`;
    const { store, service, cards } = await start({ bind: 'context' });
    const admin = await server.admin();
    const redisKey = (name: string): string => `${namespace}:${name}`;
    await admin.set(redisKey('service'), service.encrypt('x', { context: 't' }));
    await expect(store.get('service', { context: 't' })).rejects.toThrow(EncryptionTamperedError);
    await store.set('store', 'x', { context: 't' });
    const raw = (await admin.getBuffer(redisKey('store')))!;
    expect(() => service.decrypt(raw, { context: 't' })).toThrow(EncryptionTamperedError);
    await cards.save(1, { holder: 'Ada', number: '4111' });
    await cards.save(2, { holder: 'Bob', number: '5500' });
    const number = (await admin.hgetBuffer(redisKey('card:1'), 'number'))!;
    for (const [field, id] of [
      ['number', 2],
      ['holder', 2],
      ['holder', 1],
    ] as const) {
      const kept = (await admin.hgetBuffer(redisKey(`card:${id}`), field))!;
      await admin.hset(redisKey(`card:${id}`), field, number);
      await expect(cards.load(id)).rejects.toThrow(EncryptionTamperedError);
      await admin.hset(redisKey(`card:${id}`), field, kept);
    }
    expect(await cards.load(2)).toEqual({ holder: 'Bob', number: '5500' });
    await admin.hset(redisKey('card:2'), 'number', raw);
    await expect(cards.load(2)).rejects.toThrow(EncryptionTamperedError);
  });
});

describe('a record that was written before encryption', () => {
  it('is what it was, whatever else is migrated', async () => {
    namespace = `app:${count++}`;
    const admin = await server.admin();
    await admin.hset(`${namespace}:card:1`, { holder: '"Ada"', number: '"4111"' });
    const { cards } = await start({ migratePlaintext: { until: new Date(Date.now() + 3_600_000) } });
    expect(await cards.load(1)).toEqual({ holder: 'Ada', number: '4111' });
    await eventually(async () => (await admin.hgetBuffer(`${namespace}:card:1`, 'number'))![0] === 0xc1);
    expect(await (await start({})).cards.load(1)).toEqual({ holder: 'Ada', number: '4111' });
  });

  it('is encrypted by rotate, but for what is readable in it', async () => {
    namespace = `app:${count++}`;
    const admin = await server.admin();
    await admin.hset(`${namespace}:card:1`, { holder: '"Ada"', number: '"4111"' });
    const { cards, store } = await start({ migratePlaintext: { until: new Date(Date.now() + 3_600_000) } });
    expect(await store.rotate({ plaintext: 'encrypt', match: 'card:*' })).toMatchObject({ reencrypted: 1 });
    expect(await admin.hget(`${namespace}:card:1`, 'holder')).toBe('"Ada"');
    expect(await cards.load(1)).toEqual({ holder: 'Ada', number: '4111' });
    expect(await (await start({})).cards.load(1)).toEqual({ holder: 'Ada', number: '4111' });
  });
});
