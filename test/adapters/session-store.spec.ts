import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { SessionData } from 'express-session';
import {
  EncryptionModule,
  EncryptionService,
  RedisModule,
  type Duration,
  type EncryptionRootOptions,
} from 'rednest';
import {
  AdapterConfigurationError,
  RedisSessionStore,
  SessionUnavailableError,
  type RedisSessionStoreOptions,
} from 'rednest/session';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { AskedStore, expiring, lasting, openStore } from './fixtures/session-store.js';

const opened = new Opened();

const MINUTE = 60_000;
const DAY = 86_400_000;

async function start(options?: RedisSessionStoreOptions) {
  const server = await opened.emptyServer();
  return startOn(server, options);
}

async function startOn(server: RedisServer, options?: RedisSessionStoreOptions) {
  const admin = await server.admin();
  const { store, log, connection } = await openStore(opened, server.options, options);
  const warnings = () => log.texts('RedisSessionStore');
  return { store, admin, connection, warnings };
}

describe('as connect-redis', () => {
  it('keeps sessions as JSON for a day where the cookie does not say', async () => {
    const { store, admin } = await start();
    await store.set('123', lasting({ foo: 'bar' }));
    expect(await store.get('123')).toEqual({ foo: 'bar', cookie: { originalMaxAge: null } });
    expect(JSON.parse((await admin.get('sess:123'))!)).toEqual({
      foo: 'bar',
      cookie: { originalMaxAge: null },
    });
    const left = await admin.pttl('sess:123');
    expect(left).toBeGreaterThan(DAY - MINUTE);
    expect(left).toBeLessThanOrEqual(DAY);
    expect(await store.get('other')).toBeNull();
  });

  it('keeps a session until its cookie expires, and touches it to another time', async () => {
    const { store, admin } = await start();
    await store.set('456', expiring(MINUTE));
    expect(await admin.pttl('sess:456')).toBeLessThanOrEqual(MINUTE);
    await store.touch('456', expiring(90_000));
    expect(await admin.pttl('sess:456')).toBeGreaterThan(MINUTE);
    expect(await admin.pttl('sess:456')).toBeLessThanOrEqual(90_000);
    // As it comes from JSON.
    const { expires } = expiring(30_000).cookie;
    await store.touch('456', { cookie: { originalMaxAge: null, expires: expires!.toISOString() } });
    expect(await admin.pttl('sess:456')).toBeLessThanOrEqual(30_000);
  });

  it('destroys a session whose cookie has expired, when it is saved and when it is touched', async () => {
    const { store } = await start();
    for (const write of ['set', 'touch'] as const) {
      await store.set('789', expiring(MINUTE));
      expect(await store.length()).toBe(1);
      await store[write]('789', expiring(-MINUTE));
      expect(await store.length()).toBe(0);
    }
  });

  it('tells all, ids and how many, and clears', async () => {
    const { store, admin } = await start();
    await admin.set('session:x', 'of somebody else');
    expect([await store.all(), await store.ids(), await store.length()]).toEqual([[], [], 0]);
    const ids = Array.from({ length: 1_000 }, (_, position) => `s${position}`).toSorted();
    const session = expiring(MINUTE, { foo: 'bar' });
    await Promise.all(ids.map((id) => store.set(id, session)));
    expect(await store.length()).toBe(1_000);
    expect(await store.ids()).toEqual(ids);
    const all = await store.all();
    expect(all!.map(({ id }) => id).toSorted()).toEqual(ids);
    expect(all![0]).toMatchObject({ foo: 'bar', cookie: { expires: session.cookie.expires!.toISOString() } });
    await store.destroy('s7');
    expect(await store.length()).toBe(999);
    await store.clear();
    expect(await store.length()).toBe(0);
    expect(await admin.keys('*')).toEqual(['session:x']);
  });
});

describe('a session', () => {
  it('that was destroyed is not brought back by a touch', async () => {
    const { store, admin } = await start();
    await store.touch('never', expiring(MINUTE));
    await store.set('once', expiring(MINUTE));
    // In the order of the calls, though nobody waits.
    const session = expiring(MINUTE);
    await Promise.all([store.set('once', session), store.destroy('once'), store.touch('once', session)]);
    expect(await admin.dbsize()).toBe(0);
  });

  it('that was loaded is saved where it is there still, or under another id', async () => {
    const { store, admin } = await start();
    await store.set('1', expiring(MINUTE));
    const loaded = Object.assign((await store.load('1'))!, { a: 1 });
    await store.set('1', loaded);
    await store.set('1', Object.assign(loaded, { b: 2 }));
    expect(await store.get('1')).toMatchObject({ a: 1, b: 2 });
    expect(await admin.pttl('sess:1')).toBeGreaterThan(0);
    await store.destroy('1');
    await store.set('1', loaded);
    expect(await admin.dbsize()).toBe(0);
    // One that is new may have had its id before.
    await store.set('1', expiring(MINUTE));
    await store.set('copy', loaded);
    expect(await store.ids()).toEqual(['1', 'copy']);
  });

  it('that was touched is not what expired before', async () => {
    const { store } = await start();
    const first = expiring(50);
    first.cookie.originalMaxAge = MINUTE;
    await store.set('1', first);
    await store.touch('1', expiring(MINUTE));
    await eventually(() => Date.now() > first.cookie.expires!.getTime());
    const found = await store.get('1');
    // What an application does that saves by itself.
    await store.set('1', found!);
    expect(await store.get('1')).not.toBeNull();
  });

  it('of a store that does not touch is prolonged by changes alone', async () => {
    const { store, admin } = await start({ touch: false, ttl: '1m', namespace: 'app:sessions' });
    await store.set('1', lasting());
    await admin.pexpire('app:sessions:1', 1_000);
    await store.touch('1', lasting());
    expect(await admin.pttl('app:sessions:1')).toBeLessThanOrEqual(1_000);
    await store.set('1', lasting());
    expect(await admin.pttl('app:sessions:1')).toBeGreaterThan(1_000);
  });

  it('lives as long as a function says', async () => {
    const ttl = (session: SessionData) => (session as unknown as { ttl: Duration }).ttl;
    const { store, admin } = await start({ ttl });
    await store.set('1', lasting({ ttl: '90s' }));
    expect(await admin.pttl('sess:1')).toBeGreaterThan(MINUTE);
    await expect(store.set('2', lasting({ ttl: 'long' }))).rejects.toThrow(AdapterConfigurationError);
    expect(await store.ids()).toEqual(['1']);
  });

  it('reaches no other key, whatever its id is', async () => {
    const { store, admin, connection } = await start();
    const inner = new AskedStore(new RedisSessionStore(connection, { namespace: 'sess:admin' }));
    await inner.set('1', lasting({ root: true }));
    for (const id of ['admin:1', '*', '{1}', 'a%3Ab', 'é 1', 'A-Za-z_0-9'])
      await store.set(id, lasting({ id: `is ${id}` }));
    expect(await store.ids()).toEqual(['*', 'A-Za-z_0-9', 'a%3Ab', 'admin:1', '{1}', 'é 1']);
    expect(await store.get('admin:1')).toMatchObject({ id: 'is admin:1' });
    await store.clear();
    expect(await admin.keys('*')).toEqual(['sess:admin:1']);
    expect(await inner.get('1')).toMatchObject({ root: true });
  });

  it('that cannot be read is none, with a warning that shows nothing of it', async () => {
    const { store, admin, warnings } = await start();
    await admin.lpush('sess:list', 'one');
    await admin.mset({
      'sess:text': 'secret text',
      'sess:bare': '{"user":"secret"}',
      'sess:null': 'null',
      'sess:bytes': Buffer.from([0xc1, 0x1a]),
    });
    await store.set('good', lasting());
    for (const id of ['list', 'text', 'bare', 'null', 'bytes']) expect(await store.get(id)).toBeNull();
    expect(await store.all()).toEqual([{ ...lasting(), id: 'good' }]);
    expect(warnings()).toEqual([
      "A value under 'sess:' is treated as no session: it is no string",
      "A value under 'sess:' is treated as no session: it is not what the serializer writes (JSON by default)",
      "A value under 'sess:' is treated as no session: it is no object with a cookie",
    ]);
  });

  it('is written and read as the serializer does it', async () => {
    const serializer = {
      stringify: (session: SessionData) => `v1 ${JSON.stringify(session)}`,
      parse: async (text: string) => JSON.parse(text.slice(3)) as SessionData,
    };
    const { store, admin } = await start({ serializer });
    await store.set('1', lasting({ a: 1 }));
    expect(await admin.get('sess:1')).toMatch(/^v1 \{/);
    expect(await store.get('1')).toMatchObject({ a: 1 });
  });
});

it('walks through all sessions also while Redis is restarted', async () => {
  const server = await opened.server({ config: { appendonly: 'yes', appendfsync: 'always' } });
  const { store } = await startOn(server);
  await store.set('1', lasting({ a: 1 }));
  await server.kill();
  const [ids, all] = [store.ids(), store.all()];
  await server.restart();
  expect(await ids).toEqual(['1']);
  expect(await all).toEqual([{ ...lasting({ a: 1 }), id: '1' }]);
});

describe('an encrypted session', () => {
  const [OLD, NEW] = [randomBytes(32), randomBytes(32)];

  async function encryption(
    { options }: RedisServer,
    encryptionOptions: EncryptionRootOptions,
  ): Promise<EncryptionService> {
    const modules = [RedisModule.forRoot(options), EncryptionModule.forRoot(encryptionOptions)];
    const { app } = await startApplication(modules);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    return app.get(EncryptionService);
  }

  it('cannot be read in Redis, nor put in the place of another', async () => {
    const server = await opened.emptyServer();
    const { store, admin, warnings } = await startOn(server, {
      encryption: await encryption(server, { key: OLD }),
    });
    await store.set('ada', lasting({ user: 'Ada Lovelace' }));
    await store.set('eve', lasting({ user: 'Eve' }));
    expect((await admin.getBuffer('sess:ada'))!.toString('latin1')).not.toMatch(/Ada|cookie/);
    expect(await store.get('ada')).toEqual(lasting({ user: 'Ada Lovelace' }));
    await admin.copy('sess:ada', 'sess:eve', 'REPLACE');
    await admin.set('sess:plain', JSON.stringify(lasting({ user: 'root' })));
    expect(await store.get('eve')).toBeNull();
    expect(await store.get('plain')).toBeNull();
    expect(await store.all()).toEqual([{ ...lasting({ user: 'Ada Lovelace' }), id: 'ada' }]);
    expect(warnings()).toEqual([
      expect.stringContaining('was altered, moved from another place'),
      expect.stringContaining('is not encrypted'),
    ]);
  });

  it('is read while keys are rotated, and written under the new one', async () => {
    const server = await opened.emptyServer();
    const open = async (options: EncryptionRootOptions) =>
      startOn(server, { encryption: await encryption(server, options) });
    const { store } = await open({ key: OLD, decryptKeys: [NEW] });
    const { store: renewed } = await open({ key: NEW, decryptKeys: [OLD] });
    const { store: only } = await open({ key: NEW });
    await store.set('1', lasting({ a: 1 }));
    expect(await renewed.get('1')).toMatchObject({ a: 1 });
    expect(await only.get('1')).toBeNull();
    await renewed.set('1', lasting({ a: 2 }));
    for (const each of [store, renewed, only]) expect(await each.get('1')).toMatchObject({ a: 2 });
  });
});

describe('a callback', () => {
  it('that fails is logged, called once, and ends nothing', async () => {
    const { store, warnings } = await start();
    const calls: unknown[] = [];
    store.store.get('1', (error) => {
      calls.push(error);
      throw new Error('of the application');
    });
    store.store.destroy('1', async () => {
      throw new Error('of the application, later');
    });
    await eventually(() => expect(warnings()).toHaveLength(2));
    expect(warnings().toSorted()).toEqual([
      expect.stringMatching(/^The callback of destroy has failed: Error: of the application, later\n/),
      expect.stringMatching(/^The callback of get has failed: Error: of the application\n/),
    ]);
    expect(calls).toEqual([null]);
  });

  it('that is not there leaves a failure to the log', async () => {
    const { store, connection, warnings } = await start();
    await connection.close();
    store.store.destroy('1');
    store.store.set('1', lasting());
    await eventually(() => expect(warnings()).toHaveLength(2));
    expect(warnings()).toEqual([
      expect.stringMatching(/^destroy has failed: /),
      expect.stringMatching(/^set has failed: /),
    ]);
    const failure: unknown = await store.get('1').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SessionUnavailableError);
    expect(failure).toMatchObject({ code: 'SESSION_UNAVAILABLE', status: 503 });
  });
});

it('tells all that is wrong with its options', async () => {
  const { connection } = await start();
  const wrong = { namespace: 'a b', ttl: 0, touch: 'yes', encryption: {}, serializer: { parse: JSON.parse } };
  const make = (given: unknown, options?: object) => () =>
    new RedisSessionStore(given as typeof connection, options);
  expect(make(connection, { ...wrong, prefix: 'sess:' })).toThrow(AdapterConfigurationError);
  expect(make(connection, wrong)).toThrow(
    /namespace.*'a b'.*\n.*ttl.*0.*\n.*touch.*'yes'.*\n.*encryption.*EncryptionService.*\n.*serializer.*stringify and parse/,
  );
  expect(make(undefined)).toThrow(/connection.*undefined is not a RedisConnection/);
});
