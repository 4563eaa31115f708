import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisAuthError, type RedisCredentials } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { ConnectionRecorder } from '../support/connection-recorder.js';
import { changePassword, killUser, TestProvider } from '../support/credentials-provider.js';
import { eventually } from '../support/eventually.js';
import { userLine } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { TEST_COMMANDS } from '../support/redis-application.js';
import { refusals, usersByClient } from '../support/server-view.js';

const FIRST_USER = { username: 'app', password: 'first-secret' };
const SECOND_USER = { username: 'app2', password: 'second-secret' };
const opened = new Opened();

/** A server with two users: which of them a connection is shows whether it was authenticated anew. */
async function start(first: Partial<RedisCredentials>) {
  const acl = [userLine(TEST_COMMANDS, FIRST_USER), userLine(TEST_COMMANDS, SECOND_USER)];
  const server = await opened.guarded({ acl });
  const recorder = opened.add(await ConnectionRecorder.start(server));
  const provider = new TestProvider(server);
  provider.answer = () => ({ ...FIRST_USER, ...first });
  const { host, port } = recorder;
  const started = await opened.connection({ host, port, credentials: provider.ask });
  const { connection } = started;
  await connection.subscriber().subscribe('app:news');
  await connection.withDedicated((client) => client.get('app:a'));
  return { server, recorder, provider, ...started };
}

function inMilliseconds(ms: number): { expiresAt: Date } {
  return { expiresAt: new Date(Date.now() + ms) };
}

async function expectUser(server: RedisServer, user: string): Promise<void> {
  const users = await usersByClient(server);
  expect(users).toMatchObject({ 'rednest:default': user, 'rednest:default:subscriber': user });
}

describe('credentials that expire', () => {
  it('are renewed before, on the connections that are open', async () => {
    const { server, recorder, provider, connection, log } = await start(inMilliseconds(1_500));
    const asked = provider.asked;
    provider.answer = () => SECOND_USER;
    await expectUser(server, 'app');
    await eventually(() => expectUser(server, 'app2'));
    expect(provider.asked).toBe(asked + 1);
    expect(recorder.sent).toHaveLength(3);
    // A dedicated connection that was idle is not given out any more.
    await connection.withDedicated((client) => client.get('app:a'));
    expect(recorder.sent).toHaveLength(4);
    expect(await usersByClient(server)).toMatchObject({ 'rednest:default:dedicated': 'app2' });
    expect(await refusals(server)).toEqual({});
    expect(log.texts()).toEqual([]);
  });

  it('go on being used when they cannot be renewed, which is said and tried again', async () => {
    const { server, provider, connection, log } = await start(inMilliseconds(1_300));
    provider.answer = () => {
      throw new Error('the vault is sealed');
    };
    await eventually(() => expect(log.texts()).toHaveLength(1));
    expect(log.texts()).toEqual([
      "Redis connection 'default' could not renew its credentials: The credentials callback failed: the vault is sealed",
    ]);
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    provider.answer = () => SECOND_USER;
    await eventually(() => expectUser(server, 'app2'), 6_000);
    expect(connection.state).toBe('ready');
  });

  it('go on being used when the server refuses the new ones', async () => {
    const { server, provider, connection, log } = await start(inMilliseconds(1_300));
    provider.answer = () => ({ ...SECOND_USER, password: 'not-yet-valid' });
    await eventually(() => expect(log.texts()).toHaveLength(1));
    expect(log.texts()[0]).toMatch(/'default' could not renew its credentials: WRONGPASS/);
    expect(log.texts()[0]).not.toContain('not-yet-valid');
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    await expectUser(server, 'app');
  });

  it('that have expired already, or so it seems, do not have the callback called without a pause', async () => {
    const { provider, log } = await start({ expiresAt: Math.round(Date.now() / 1_000) + 3_600 });
    const { asked } = provider;
    await sleep(1_200);
    expect(provider.asked).toBe(asked + 1);
    expect(log.texts()).toEqual([]);
  });
});

describe('the timer of a renewal', () => {
  const script = `
    import 'reflect-metadata';
    import { NestFactory } from '@nestjs/core';
    import { getRedisToken, RedisModule } from 'rednest';
    const { host, port, ...user } = JSON.parse(process.env.SERVER);
    const credentials = () => ({ ...user, expiresAt: Date.now() + 3_600_000 });
    const redis = RedisModule.forRoot({ host, port, credentials });
    const app = await NestFactory.createApplicationContext(redis, { logger: false });
    await app.get(getRedisToken()).quit();
  `;

  it('does not keep the process alive', async () => {
    const { options } = await opened.guarded();
    const loader = fileURLToPath(new URL('fixtures/typescript.mjs', import.meta.url));
    const child = spawn(process.execPath, ['--import', loader, '--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, NODE_OPTIONS: '', SERVER: JSON.stringify(options) },
      stdio: 'inherit',
      timeout: 15_000,
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('refreshCredentials', () => {
  it('authenticates the open connections anew', async () => {
    const { server, recorder, provider, connection } = await start({});
    provider.answer = () => SECOND_USER;
    await connection.refreshCredentials();
    await expectUser(server, 'app2');
    expect(recorder.sent).toHaveLength(3);
  });

  it('tells of a refusal, and leaves the connections as they were', async () => {
    const { server, provider, connection } = await start({});
    provider.answer = () => ({ ...SECOND_USER, password: 'not-yet-valid' });
    await expect(connection.refreshCredentials()).rejects.toThrow(RedisAuthError);
    provider.answer = () => Promise.reject(new Error('the vault is sealed'));
    await expect(connection.refreshCredentials()).rejects.toThrow(/the vault is sealed/);
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    await expectUser(server, 'app');
  });

  it('does nothing without a callback', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    await connection.refreshCredentials();
    expect(await connection.client.set('app:a', '1')).toBe('OK');
  });
});

describe('REDIS_PASSWORD_FILE', () => {
  const before = { ...process.env };
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rednest-'));
  });
  afterEach(async () => {
    process.env = { ...before };
    await rm(directory, { recursive: true });
  });

  it('is read at each connect, and waited for while it is away', async () => {
    const server = await opened.guarded();
    const file = join(directory, 'password');
    await writeFile(file, `${server.options.password}\n`);
    Object.assign(process.env, {
      REDIS_HOST: server.host,
      REDIS_PORT: String(server.port),
      REDIS_USERNAME: 'app',
      REDIS_PASSWORD_FILE: file,
    });
    const { connection } = await opened.connection({});
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    await rm(file);
    await killUser([server]);
    await eventually(() =>
      expect(connection.error?.message).toMatch(/REDIS_PASSWORD_FILE: file '.*' cannot be read/),
    );
    await changePassword([server], 'rotated');
    await writeFile(file, 'rotated');
    await eventually(() => connection.state === 'ready');
    expect(await connection.client.get('app:a')).toBe('1');
    expect(await refusals(server)).toEqual({});
  });
});
