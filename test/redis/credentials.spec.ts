import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  RedisAuthError,
  RedisConnectionLostError,
  type RedisConnection,
  type RedisCredentials,
  retry,
} from 'rednest';
import type { Redis } from 'ioredis';
import type { RedisServer } from 'rednest/testing';
import { ConnectionRecorder } from '../support/connection-recorder.js';
import { changePassword, killUser, LOGIN, TestProvider } from '../support/credentials-provider.js';
import { eventually } from '../support/eventually.js';
import { userLine } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { TEST_COMMANDS } from '../support/redis-application.js';
import { killClients, refusals, usersByClient } from '../support/server-view.js';

const SECOND_USER = { username: 'app2', password: 'second-secret' };
const opened = new Opened();
const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);

beforeEach(() => void process.on('unhandledRejection', note));
afterEach(async () => {
  await sleep(1);
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

/** A server with two users of the guide's ACL, and one that whoever forgets his credentials becomes. */
async function openServer(): Promise<RedisServer> {
  const users = [userLine(TEST_COMMANDS), userLine(TEST_COMMANDS, SECOND_USER)];
  return opened.guarded({ acl: [...users, 'default on nopass ~* &* +@all'] });
}

async function connect(server: RedisServer, provider: TestProvider) {
  return opened.connection({ host: server.host, port: server.port, credentials: provider.ask });
}

/** Has a shared, a subscribed and a dedicated connection open. */
async function openAll(connection: RedisConnection): Promise<string[]> {
  const heard: string[] = [];
  connection.subscriber().on('message', (_, text: string) => heard.push(text));
  await connection.subscriber().subscribe('app:news');
  await connection.withDedicated((client) => client.get('app:a'));
  return heard;
}

async function expectAllWork(connection: RedisConnection, heard: string[]): Promise<void> {
  // The application may not have noticed yet that a connection was closed.
  expect(await retry(() => connection.client.set('app:a', '1'))).toBe('OK');
  expect(await retry(() => connection.withDedicated((client) => client.get('app:a')))).toBe('1');
  await eventually(async () => {
    await connection.client.publish('app:news', 'hello');
    expect(heard).toContain('hello');
  });
}

function allAre(user: string): Record<string, string> {
  return {
    'rednest:default': user,
    'rednest:default:subscriber': user,
    'rednest:default:dedicated': user,
  };
}

describe('the credentials callback', () => {
  it('is asked before each connect of each connection', async () => {
    const server = await openServer();
    const provider = new TestProvider(server);
    const { connection } = await connect(server, provider);
    expect(provider.asked).toBe(1);
    await connection.subscriber().subscribe('app:news');
    expect(provider.asked).toBe(2);
    await connection.withDedicated((client) => client.get('app:a'));
    expect(provider.asked).toBe(3);
    for (const client of [connection.subscriber(), connection.client]) {
      const reconnected = new Promise<void>((resolve) => client.once('ready', () => resolve()));
      expect(await killClients(server, client === connection.client ? ':default' : ':subscriber')).toBe(1);
      await reconnected;
    }
    expect(provider.asked).toBe(5);
  });

  it('is asked once by connections that are opened at the same time', async () => {
    const server = await openServer();
    const provider = new TestProvider(server);
    const { connection } = await connect(server, provider);
    const { answer } = provider;
    provider.answer = () => sleep(50).then(answer);
    const take = () => connection.withDedicated((client) => client.get('app:a'));
    await Promise.all([take(), take(), connection.subscriber().subscribe('app:news')]);
    expect(provider.asked).toBe(2);
  });

  it('lets all connections follow a password that is changed while they run', async () => {
    const server = await openServer();
    const provider = new TestProvider(server);
    const { connection, log } = await connect(server, provider);
    const heard = await openAll(connection);
    const held = connection.withDedicated((client) => client.blpop('app:queue', 0));
    const loss = expect(held).rejects.toThrow(RedisConnectionLostError);
    await eventually(() => connection.poolStats.used === 1);
    await changePassword([server], 'rotated');
    await expectAllWork(connection, heard);
    provider.answer = () => ({ username: 'app', password: 'rotated' });
    heard.length = 0;
    await killUser([server]);
    await loss;
    await expectAllWork(connection, heard);
    expect(await usersByClient(server)).toEqual(allAre('app'));
    expect(await refusals(server)).toEqual({});
    expect(log.texts()).toEqual([
      expect.stringContaining('is lost, trying again'),
      expect.stringContaining('is back after'),
    ]);
  });

  it('may change the user', async () => {
    const server = await openServer();
    const provider = new TestProvider(server);
    const { connection } = await connect(server, provider);
    const heard = await openAll(connection);
    provider.answer = () => SECOND_USER;
    await killUser([server]);
    await expectAllWork(connection, heard);
    expect(await usersByClient(server)).toEqual(allAre('app2'));
  });

  it('gives its answer to copies of the client too, unless they have credentials of their own', async () => {
    const server = await openServer();
    const provider = new TestProvider(server);
    const { connection } = await connect(server, provider);
    provider.answer = () => SECOND_USER;
    const client = connection.client as Redis;
    const copy = client.duplicate({ connectionName: 'rednest:copy' });
    const other = client.duplicate({
      connectionName: 'rednest:other',
      username: 'app',
      password: 'guide-secret',
    });
    await Promise.all([copy.ping(), other.ping()]);
    expect(await usersByClient(server)).toMatchObject({ 'rednest:copy': 'app2', 'rednest:other': 'app' });
    await Promise.all([copy.quit(), other.quit()]);
  });
});

describe('a credentials callback that has no answer', () => {
  const sealed = new Error('the vault is sealed');
  const absent = {} as RedisCredentials;

  async function throughRecorder(server: RedisServer) {
    const recorder = opened.add(await ConnectionRecorder.start(server));
    return { recorder, address: { host: recorder.host, port: recorder.port } };
  }

  it.each<[string, () => RedisCredentials | Promise<RedisCredentials>, string]>([
    [
      'throws',
      () => {
        throw sealed;
      },
      'failed: the vault is sealed',
    ],
    ['rejects', () => Promise.reject(sealed), 'failed: the vault is sealed'],
    ['hangs', () => new Promise(() => {}), 'failed: no answer within 100 ms'],
    ['gives nothing', () => undefined as unknown as RedisCredentials, 'gave no password'],
    ['gives a user only', () => ({ ...absent, username: 'app' }), 'gave no password'],
    ['gives an empty password', () => ({ username: 'app', password: '' }), 'gave no password'],
    [
      'gives an invalid date',
      () => ({ ...SECOND_USER, expiresAt: new Date('soon') }),
      'gave an expiresAt that is no date',
    ],
  ])('never connects, and fails the start at its deadline: it %s', async (_, credentials, cause) => {
    const { recorder, address } = await throughRecorder(await openServer());
    const options = { ...address, credentials, connectTimeout: 100, startupTimeout: 300 };
    const started = performance.now();
    const error: unknown = await opened.connection(options).catch((reason: unknown) => reason);
    expect(performance.now() - started).toBeGreaterThan(295);
    expect(error).toBeInstanceOf(RedisAuthError);
    expect((error as Error).message).toBe(
      `Redis connection 'default' is not ready: The credentials callback ${cause}`,
    );
    expect(recorder.sent).toEqual([]);
  });

  it('is asked again, until it has one', async () => {
    const server = await openServer();
    const { recorder, address } = await throughRecorder(server);
    const provider = new TestProvider(server);
    const { answer } = provider;
    provider.answer = () => (provider.asked < 4 ? Promise.reject(sealed) : answer());
    const { connection, log } = await opened.connection({ ...address, credentials: provider.ask });
    expect(provider.asked).toBe(4);
    await expectAllWork(connection, await openAll(connection));
    expect(recorder.sent.length).toBeGreaterThan(2);
    for (const sent of recorder.sent) expect(sent.toString()).toMatch(LOGIN);
    expect(log.texts()).toEqual([
      "Redis connection 'default' cannot be made, trying again: The credentials callback failed: the vault is sealed",
      expect.stringContaining('is back after'),
    ]);
  });

  it('leaves lost connections unconnected, rather than connected as the default user', async () => {
    const server = await openServer();
    const { recorder, address } = await throughRecorder(server);
    const provider = new TestProvider(server);
    const { answer } = provider;
    const { connection } = await opened.connection({ ...address, credentials: provider.ask });
    const heard = await openAll(connection);
    provider.answer = () => Promise.reject(sealed);
    await killUser([server]);
    await eventually(() => connection.state === 'reconnecting');
    await expect(connection.client.set('app:a', '2')).rejects.toThrow();
    await expect(connection.withDedicated((client) => client.get('app:a'))).rejects.toThrow(RedisAuthError);
    expect(connection.error).toBeInstanceOf(RedisAuthError);
    expect(recorder.sent).toHaveLength(3);
    provider.answer = answer;
    await expectAllWork(connection, heard);
    for (const sent of recorder.sent) expect(sent.toString()).toMatch(LOGIN);
    expect(await usersByClient(server)).toEqual(allAre('app'));
  });

  it('does not hold up the shutdown', async () => {
    const server = await openServer();
    const provider = new TestProvider(server);
    const { app, connection, log } = await connect(server, provider);
    provider.answer = () => new Promise(() => {});
    await killUser([server]);
    await eventually(() => connection.state === 'reconnecting');
    const waiting = [
      connection.client.get('app:a'),
      connection.withDedicated((client) => client.get('app:a')),
    ].map((outcome) => expect(outcome).rejects.toThrow(/clos/));
    const started = performance.now();
    await app.close();
    expect(performance.now() - started).toBeLessThan(1_000);
    await Promise.all(waiting);
    expect(log.texts()).toEqual([expect.stringContaining('is lost, trying again: closed by the server')]);
  });
});
