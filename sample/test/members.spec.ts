import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { SessionState } from '../members/members.dto.js';
import { RunningAtlas } from './atlas.fixture.js';

const ALICE = { name: 'alice', password: 'correct horse battery' };

describe('members', () => {
  let server: RedisServer;
  let replicas: [RunningAtlas, RunningAtlas];

  beforeAll(async () => {
    server = await startRedis();
    const first = await RunningAtlas.start({ redis: server.options });
    replicas = [first, await RunningAtlas.start({ redis: server.options })];
  });

  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await server.stop();
  });

  /** Nobody is a member, or has asked for anything. */
  beforeEach(async () => {
    const admin = await server.admin();
    const keys = await Promise.all(
      ['member', 'session', 'throttle'].map((name) => admin.keys(`atlas:${name}:*`)),
    );
    await admin.unlink('atlas:none', ...keys.flat());
  });

  /** Asks as a browser does: with the cookie that it was given last. */
  function browser() {
    let cookie: string | undefined;
    return async (replica: RunningAtlas, method: string, path: string, body?: unknown) => {
      const response = await fetch(replica.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...(cookie !== undefined && { cookie }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
      return response;
    };
  }

  it('log in at one replica, are known to the other, and log out at both', async () => {
    const [first, second] = replicas;
    const ask = browser();
    expect((await ask(first, 'POST', '/members', ALICE)).status).toBe(201);
    const loggedIn = await ask(first, 'PUT', '/session', ALICE);
    expect(loggedIn.status).toBe(200);
    expect(loggedIn.headers.get('set-cookie')).toMatch(
      /^atlas\.sid=.*; Path=\/session;.*HttpOnly; SameSite=Lax$/,
    );

    const there = await ask(second, 'GET', '/session');
    const state = (await there.json()) as SessionState;
    expect(state).toEqual({ name: 'alice', loggedIn: expect.any(String), expires: expect.any(String) });
    expect((await ask(second, 'DELETE', '/session')).status).toBe(204);
    expect((await ask(first, 'GET', '/session')).status).toBe(401);
  });

  it('are not to be read in Redis', async () => {
    const ask = browser();
    await ask(replicas[0], 'POST', '/members', ALICE);
    await ask(replicas[0], 'PUT', '/session', ALICE);
    const admin = await server.admin();
    const [key, ...others] = await admin.keys('atlas:session:*');
    expect(others).toEqual([]);
    expect((await admin.getBuffer(key!))!.includes('alice')).toBe(false);
    expect(await admin.get('atlas:member:alice')).not.toMatch(ALICE.password);
    const ttl = await admin.pttl(key!);
    expect(ttl).toBeGreaterThan(29 * 60_000);
    expect(ttl).toBeLessThanOrEqual(30 * 60_000);
  });

  it('have names of their own', async () => {
    const answers = await Promise.all(replicas.map((replica) => replica.post('/members', ALICE)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
  });

  it('who guesses passwords learns nothing, and gets ten tries from all replicas together', async () => {
    const [first, second] = replicas;
    await first.post('/members', ALICE);
    const wrong = await first.put('/session', { ...ALICE, password: 'a wrong password' });
    const unknown = await second.put('/session', { ...ALICE, name: 'nobody' });
    expect(wrong.status).toBe(401);
    expect(unknown.body).toEqual(wrong.body);
    const more = await Promise.all(
      Array.from({ length: 12 }, (_, index) => replicas[index % 2]!.put('/session', ALICE)),
    );
    const refused = more.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(4);
    expect(refused[0]!.body).toMatchObject({ statusCode: 429, message: 'Too many requests, try again soon' });
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(590);
  });

  it('are told where a login could not be kept, or a session not be read', async () => {
    const ask = browser();
    await ask(replicas[0], 'POST', '/members', ALICE);
    await ask(replicas[0], 'PUT', '/session', ALICE);
    const admin = await server.admin();
    await admin.config('SET', 'maxmemory', '1');
    const refused = await ask(replicas[0], 'PUT', '/session', ALICE);
    expect(refused.status).toBe(503);
    await server.kill();
    const away = await ask(replicas[1], 'GET', '/session');
    expect(away.status).toBe(503);
    expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
