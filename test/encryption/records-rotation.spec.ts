import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EncryptionService } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { digitsOf, MASTERCARD, ProfilesApplication, VISA } from './fixtures/profiles.js';

const opened = new Opened();
const [OLD, NEW] = [
  { id: '1', key: randomBytes(32).toString('hex') },
  { id: '2', key: randomBytes(32).toString('hex') },
];
const namespace = 'app';

let server: RedisServer;
/** A replica that writes with the old key, and one that writes with the new one. */
let before: ProfilesApplication;
let after: ProfilesApplication;
beforeAll(async () => {
  server = await startRedis();
  const start = (key: object, other: object, reencryptOnRead: boolean) => {
    const options = {
      key: key as typeof OLD,
      decryptKeys: [other as typeof OLD],
      namespace,
      reencryptOnRead,
    };
    return ProfilesApplication.start(server.options, options);
  };
  before = await start(OLD, NEW, false);
  after = await start(NEW, OLD, false);
});
afterAll(async () => {
  await before[Symbol.asyncDispose]();
  await after[Symbol.asyncDispose]();
  await server.stop();
});
beforeEach(async () => void (await (await server.admin()).flushdb()));

/** A replica that writes with the new key, and puts what it reads under it. */
const startLazy = async () =>
  opened.add(await ProfilesApplication.start(server.options, { key: NEW, decryptKeys: [OLD], namespace }));
const save = (by: ProfilesApplication, id: string, cardNumber = VISA, ttl?: '1h') =>
  by.profiles.save(id, { holder: id, cardNumber }, ttl && { ttl });
const oldEntry = () => before.entry('cardNumber', digitsOf(VISA));
const newEntry = () => after.entry('cardNumber', digitsOf(VISA));
const tokenOf = (entry: string) => entry.slice(entry.lastIndexOf(':') + 1);
const membersOf = async (entry: string) => (await server.admin()).zcard(entry);
const ids = (count: number) => Array.from({ length: count }, (_, position) => `id${position}`).toSorted();

describe('while keys are rolled out', () => {
  it('old and new replicas find what either has saved, and a save moves a record', async () => {
    await save(before, 'a');
    await save(after, 'b');
    for (const each of [before, after]) expect(await each.idsOf(VISA)).toEqual(['a', 'b']);
    await save(after, 'a');
    await save(before, 'b');
    for (const each of [before, after]) expect(await each.idsOf(VISA)).toEqual(['a', 'b']);
    expect([await membersOf(oldEntry()), await membersOf(newEntry())]).toEqual([1, 1]);
    await before.profiles.delete('a');
    await after.profiles.delete('b');
    expect(await (await server.admin()).keys('*')).toEqual([]);
  });

  it.each([
    ['an old replica', () => before],
    ['a new replica', () => after],
  ])('%s finds a record while it is moved, whichever way and whenever', async (_, replica) => {
    const finder = replica();
    for (const [from, mover, entry] of [
      [before, after, oldEntry()],
      [after, before, newEntry()],
    ] as const) {
      for (const reads of [0, 1, 2]) {
        await save(from, 'a');
        const isMoved = betweenReads(finder, reads, () => mover.reindexer.reindex(tokenOf(entry)));
        expect(await finder.idsOf(VISA)).toEqual(['a']);
        expect(await isMoved).toEqual({ moved: 1, left: 0 });
      }
    }
  });
});

/** Has something done when an application has read so many entries, and is about to read the next. */
function betweenReads<T>(
  application: ProfilesApplication,
  reads: number,
  work: () => Promise<T>,
): Promise<T> {
  const { client } = EncryptionService.partsOf(application.service).connection;
  let left = reads;
  return new Promise((resolve, reject) => {
    const spy = jest.spyOn(client, 'zrange').mockImplementation(async (...parameters: unknown[]) => {
      if (left-- === 0) await work().then(resolve, reject);
      if (left < 0) spy.mockRestore();
      return (await client.call('ZRANGE', ...(parameters as string[]))) as never;
    });
  });
}

describe('what is read', () => {
  it('is put under the primary key in the background, and keeps its time to live', async () => {
    const lazy = await startLazy();
    const admin = await server.admin();
    await save(before, 'loaded', VISA, '1h');
    await save(before, 'found', VISA, '1h');
    expect((await lazy.profiles.load('loaded'))!.cardNumber).toBe(VISA);
    await eventually(async () => (await membersOf(newEntry())) === 1 && (await membersOf(oldEntry())) === 1);
    expect(await lazy.idsOf(VISA)).toEqual(['found', 'loaded']);
    await eventually(async () => (await membersOf(newEntry())) === 2 && (await membersOf(oldEntry())) === 0);
    await eventually(() => lazy.service.stats().reencrypted === 2);
    for (const name of [newEntry(), 'app:payment-profile:loaded'])
      expect(await admin.pttl(name)).toBeGreaterThan(3_500_000);
    expect(await before.idsOf(VISA)).toEqual(['found', 'loaded']);
  });

  it('is left alone where an old replica would undo it each time', async () => {
    const lazy = await startLazy();
    await save(before, 'a');
    await lazy.profiles.load('a');
    await eventually(async () => (await membersOf(newEntry())) === 1 && (await membersOf(oldEntry())) === 0);
    await save(before, 'a');
    await lazy.profiles.load('a');
    await lazy[Symbol.asyncDispose]();
    expect([await membersOf(oldEntry()), await membersOf(newEntry())]).toEqual([1, 0]);
  });

  it('is indexed where it was saved before there was an index', async () => {
    const lazy = await startLazy();
    await save(after, 'a');
    const admin = await server.admin();
    await admin.hdel('app:payment-profile:a', 'cardNumber#index');
    await admin.del(newEntry());
    expect(await lazy.idsOf(VISA)).toEqual([]);
    await lazy.profiles.load('a');
    await eventually(async () => (await lazy.idsOf(VISA)).length === 1);
  });

  it('is moved to the end before the application closes', async () => {
    const lazy = await startLazy();
    await Promise.all(ids(30).map((id) => save(before, id)));
    await Promise.all(ids(30).map((id) => lazy.profiles.load(id)));
    await lazy[Symbol.asyncDispose]();
    expect([await membersOf(oldEntry()), await membersOf(newEntry())]).toEqual([0, 30]);
  });
});

describe('the sweep of a rotation', () => {
  it('moves all records under the primary key, so that the old one can be removed', async () => {
    await Promise.all(ids(150).map((id) => save(before, id)));
    await save(before, 'gone', MASTERCARD);
    await (await server.admin()).del('app:payment-profile:gone');
    const gone = before.entry('cardNumber', digitsOf(MASTERCARD));
    const reports = [tokenOf(oldEntry()), tokenOf(gone)].map((token) => after.reindexer.reindex(token));
    // Its record may be about to be written.
    expect(await Promise.all(reports)).toEqual([
      { moved: 150, left: 0 },
      { moved: 0, left: 1 },
    ]);
    const admin = await server.admin();
    const [member] = await admin.zrange(gone, 0, '-1');
    await admin.zincrby(gone, -61_000, member!);
    expect(await after.reindexer.reindex(tokenOf(gone))).toEqual({ moved: 0, left: 0 });
    expect(await admin.keys(`app:idx:*`)).toEqual([newEntry()]);
    const { usage, completed } = await after.store.rotate();
    expect([completed, usage!.removable]).toEqual([true, [before.service.keys[0]!.id]]);
    const only = opened.add(await ProfilesApplication.start(server.options, { key: NEW, namespace }));
    expect(await only.idsOf(VISA)).toEqual(ids(150));
  });

  it('leaves what it cannot read', async () => {
    await save(before, 'a');
    await (await server.admin()).hset('app:payment-profile:a', 'cardNumber', 'altered');
    expect(await after.reindexer.reindex(tokenOf(oldEntry()))).toEqual({ moved: 0, left: 1 });
  });

  it('goes on where somebody has put something else at a record, or at an entry', async () => {
    const admin = await server.admin();
    for (const id of ['a', 'b']) await save(before, id);
    await admin.set('app:payment-profile:a', 'no record');
    expect(await after.store.rotate()).toMatchObject({ completed: true, reindexed: 1, indexEntriesLeft: 1 });
    expect(await after.idsOf(VISA)).toEqual(['b']);
    await save(before, 'c', MASTERCARD);
    await admin.set(after.entry('cardNumber', digitsOf(MASTERCARD)), 'no entry');
    expect(await after.store.rotate()).toMatchObject({ completed: true, reindexed: 0, indexEntriesLeft: 2 });
  });

  it('loses none that is saved or deleted meanwhile', async () => {
    await Promise.all(ids(40).map((id) => save(before, id)));
    const writes = ids(40).map((id, position) => {
      if (position % 4 === 0) return before.profiles.delete(id);
      return save(position % 4 === 1 ? before : after, id);
    });
    await Promise.all([after.reindexer.reindex(tokenOf(oldEntry())), ...writes]);
    const kept = ids(40).filter((_, position) => position % 4 !== 0);
    for (const each of [before, after]) expect(await each.idsOf(VISA)).toEqual(kept);
    const { left } = await after.reindexer.reindex(tokenOf(oldEntry()));
    expect(left).toBe(0);
    expect(await after.idsOf(VISA)).toEqual(kept);
  });
});
