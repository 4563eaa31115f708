import { describe, expect, it } from '@jest/globals';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Browser, startSessions } from './fixtures/session-application.js';

const opened = new Opened();

const HOUR = 3_600_000;

/** The only session of a server. */
async function stored(server: RedisServer) {
  const admin = await server.admin();
  const keys = await admin.keys('*');
  expect(keys).toEqual([expect.stringMatching(/^sess:[\w-]+$/)]);
  const key = keys[0]!;
  return { admin, key, value: JSON.parse((await admin.get(key))!) as { user?: string; count?: number } };
}

describe.each(ADAPTERS)('sessions with %s', (adapter) => {
  it('are shared by replicas, from the login to the end', async () => {
    const server = await opened.emptyServer();
    const start = () => startSessions(opened, { adapter, redis: server.options, maxAge: HOUR });
    const [one, other] = [await start(), await start()];
    const browser = new Browser();
    expect(await browser.ask(`${one.url}/me`)).toEqual({ status: 200, body: {}, hasCookie: false });
    expect(await browser.ask(`${one.url}/login`, 'POST')).toMatchObject({
      body: { user: 'Ada' },
      hasCookie: true,
    });
    expect((await browser.ask(`${other.url}/me`)).body).toEqual({ user: 'Ada' });
    await browser.ask(`${other.url}/count`, 'POST');
    expect((await browser.ask(`${one.url}/count`, 'POST')).body).toEqual({ user: 'Ada', count: 2 });
    expect((await stored(server)).value).toMatchObject({ user: 'Ada', count: 2 });
    // Nobody else has it, and a cookie that nobody has signed is none.
    const stranger = new Browser();
    expect((await stranger.ask(`${one.url}/me`)).body).toEqual({});
    stranger.cookie = browser.cookie.replace(/.{6}$/, 'forged');
    expect((await stranger.ask(`${one.url}/me`)).body).toEqual({});

    const { cookie } = browser;
    expect((await browser.ask(`${one.url}/logout`, 'POST')).status).toBe(201);
    browser.cookie = cookie;
    expect((await browser.ask(`${other.url}/me`)).body).toEqual({});
    expect(await (await server.admin()).dbsize()).toBe(0);
  });

  it(`that are destroyed ${adapter === 'express' ? 'stay so' : 'come back'} when a request ends that was under way`, async () => {
    const server = await opened.emptyServer();
    const { url } = await startSessions(opened, { adapter, redis: server.options });
    const browser = new Browser();
    await browser.ask(`${url}/login`, 'POST');
    expect(await browser.ask(`${url}/overtaken`, 'POST')).toMatchObject({ status: 201, body: { count: 1 } });
    expect((await browser.ask(`${url}/me`)).body).toEqual(
      adapter === 'express' ? {} : { user: 'Ada', count: 1 },
    );
  });

  it('live for as long as their cookie, anew with each request', async () => {
    const server = await opened.emptyServer();
    const { url } = await startSessions(opened, { adapter, redis: server.options, maxAge: HOUR });
    const browser = new Browser();
    await browser.ask(`${url}/login`, 'POST');
    const { admin, key } = await stored(server);
    expect(await admin.pttl(key)).toBeGreaterThan(HOUR - 60_000);
    await admin.pexpire(key, 60_000);
    expect(await browser.ask(`${url}/me`)).toMatchObject({ body: { user: 'Ada' }, hasCookie: true });
    expect(await admin.pttl(key)).toBeGreaterThan(HOUR - 60_000);
    expect(await admin.pttl(key)).toBeLessThanOrEqual(HOUR);
    await admin.pexpire(key, 1);
    await eventually(async () => (await admin.exists(key)) === 0);
    expect((await browser.ask(`${url}/me`)).body).toEqual({});
    expect(await admin.dbsize()).toBe(0);
  });

  it('live for the ttl where the cookie is one of the browser session', async () => {
    const server = await opened.emptyServer();
    const { url } = await startSessions(opened, { adapter, redis: server.options, store: { ttl: '2h' } });
    const browser = new Browser();
    await browser.ask(`${url}/login`, 'POST');
    const { admin, key } = await stored(server);
    await admin.pexpire(key, 60_000);
    await browser.ask(`${url}/me`);
    expect(await admin.pttl(key)).toBeGreaterThan(HOUR);
    expect(await admin.pttl(key)).toBeLessThanOrEqual(2 * HOUR);
  });

  it('that cannot be read are begun anew', async () => {
    const server = await opened.emptyServer();
    const { url, log } = await startSessions(opened, { adapter, redis: server.options });
    const browser = new Browser();
    await browser.ask(`${url}/login`, 'POST');
    const { admin, key } = await stored(server);
    await admin.set(key, '{"user":"Eve"}');
    expect(await browser.ask(`${url}/me`)).toMatchObject({ status: 200, body: {} });
    expect((await browser.ask(`${url}/login`, 'POST')).body).toEqual({ user: 'Ada' });
    expect((await browser.ask(`${url}/me`)).body).toEqual({ user: 'Ada' });
    expect(log.texts('RedisSessionStore')).toEqual([expect.stringContaining('treated as no session')]);
  });

  it('are unavailable while Redis is away, and then there again', async () => {
    const server = await opened.server({ config: { appendonly: 'yes', appendfsync: 'always' } });
    const { url, log } = await startSessions(opened, { adapter, redis: server.options, maxAge: HOUR });
    const browser = new Browser();
    await browser.ask(`${url}/login`, 'POST');
    await server.kill();
    const unavailable = {
      statusCode: 503,
      error: 'Service Unavailable',
      message: 'Sessions are not available, try again later',
    };
    // Who has no session needs no Redis, until there is to be one.
    const answers = await Promise.all([
      browser.ask(`${url}/me`),
      browser.ask(`${url}/count`, 'POST'),
      new Browser().ask(`${url}/login`, 'POST'),
      new Browser().ask(`${url}/me`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 200]);
    expect(answers.map(({ body }) => body)).toEqual([unavailable, unavailable, unavailable, {}]);
    await server.restart();
    await eventually(async () => (await browser.ask(`${url}/me`)).body.user === 'Ada', 15_000);
    // What could not be read is told to who asked; what could not be written, to the log.
    expect(log.texts('RedisSessionStore').join('\n')).toMatch(
      /^destroy has failed: .*(?:\nset has failed: .*)?$/,
    );
    expect(log.texts('ExceptionsHandler')).toEqual([]);
  });

  it('are waited for at the start, where their connection is required', async () => {
    const server = await opened.server({});
    await server.kill();
    const redis = { ...server.options, startup: 'required', startupTimeout: 200 } as const;
    await expect(startSessions(opened, { adapter, redis })).rejects.toThrow(/'sessions' is not ready/);
  });
});
