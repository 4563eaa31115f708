import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { RedisAuthError, type RedisConnection, type RedisModuleOptions } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { refusals, usersByClient } from '../support/server-view.js';

const PASSWORD = 'of the default user: ä€"$\\#@/%41';
const opened = new Opened();

/** Has a shared, a subscribed and a dedicated connection do their work. */
async function useAll(connection: RedisConnection): Promise<void> {
  const { client } = connection;
  expect(await client.set('app:a', '1')).toBe('OK');
  expect(await connection.withDedicated((dedicated) => dedicated.get('app:a'))).toBe('1');
  const subscriber = connection.subscriber();
  const heard = new Promise((resolve) => subscriber.once('message', (_, text) => resolve(text)));
  await subscriber.subscribe('app:news');
  await client.publish('app:news', 'hello');
  expect(await heard).toBe('hello');
}

function allAre(user: string): Record<string, string> {
  return {
    'rednest:default': user,
    'rednest:default:subscriber': user,
    'rednest:default:dedicated': user,
  };
}

describe('authentication', () => {
  it.each([3, 2] as const)('is by the password of the default user (RESP%i)', async (protocol) => {
    const server = await opened.server({ password: PASSWORD });
    const { connection, log } = await opened.connection({ ...server.options, driver: { protocol } });
    await useAll(connection);
    expect(await usersByClient(server)).toEqual(allAre('default'));
    expect(log.texts()).toEqual([]);
  });

  it.each([3, 2] as const)(
    'is by a user, who needs no more than the guide says (RESP%i)',
    async (protocol) => {
      const server = await opened.guarded();
      const { connection, log } = await opened.connection({ ...server.options, driver: { protocol } });
      await useAll(connection);
      expect(await usersByClient(server)).toEqual(allAre('app'));
      expect(await refusals(server)).toEqual({});
      expect(log.texts()).toEqual([]);
    },
  );

  it('is by the user and the password of the URL, percent-encoded', async () => {
    const server = await opened.server({ password: PASSWORD });
    const encoded = encodeURIComponent(PASSWORD);
    const url = `redis://default:${encoded}@${server.host}:${server.port}`;
    const { connection } = await opened.connection({ url });
    await useAll(connection);
  });
});

describe('a login that is refused', () => {
  const withUser = () => opened.guarded();
  const withPassword = () => opened.server({ password: PASSWORD });
  const none: Partial<RedisModuleOptions> = {};

  async function expectRefusal(
    server: RedisServer,
    options: RedisModuleOptions,
    reply: string,
  ): Promise<void> {
    const started = performance.now();
    const error: unknown = await opened.connection(options).catch((reason: unknown) => reason);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(error).toBeInstanceOf(RedisAuthError);
    expect(error).toMatchObject({ code: 'REDIS_AUTH', retryable: false });
    expect((error as Error).message).toMatch(`Redis connection '${options.name}' is not ready: ${reply}`);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('not-the-password');
    await eventually(async () => expect(await usersByClient(server)).toEqual({}));
  }

  it.each([
    ['the password of a user is wrong', withUser, { password: 'not-the-password' }, 'WRONGPASS'],
    ['the user is unknown', withUser, { username: 'nobody', password: 'not-the-password' }, 'WRONGPASS'],
    ['the password alone is given, where a user is needed', withUser, { username: undefined }, 'WRONGPASS'],
    [
      'the password of the default user is wrong',
      withPassword,
      { password: 'not-the-password' },
      'WRONGPASS',
    ],
    ['no password is given, where a user is needed', withUser, none, 'NOAUTH'],
    ['no password is given, where one is needed', withPassword, none, 'NOAUTH'],
  ])('fails the start at once when %s', async (_, serve, wrong, reply) => {
    const server = await serve();
    const { host, port, username, password } = server.options;
    const credentials = wrong === none ? {} : { username, password, ...wrong };
    for (const protocol of [3, 2] as const) {
      const options = { name: 'ledger', host, port, ...credentials, driver: { protocol } };
      await expectRefusal(server, options, reply);
    }
    expect((await refusals(server))['auth'] ?? 0).toBe(wrong === none ? 0 : 2);
  });

  it('leaves an application with an optional connection running, which recovers when the user is let in', async () => {
    const server = await opened.guarded();
    const options = { ...server.options, password: 'not-the-password' };
    const { connection, log } = await opened.connection({ ...options, startup: 'optional' });
    await expect(connection.client.get('app:a')).rejects.toThrow();
    expect(connection.error).toBeInstanceOf(RedisAuthError);
    await expect(connection.withDedicated((client) => client.get('app:a'))).rejects.toThrow(RedisAuthError);
    await (await server.admin()).acl('SETUSER', 'app', '>not-the-password');
    await eventually(() => connection.state === 'ready');
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    expect(log.texts()).toEqual([
      expect.stringMatching(/^Redis connection 'default' cannot be made, trying again: WRONGPASS/),
      expect.stringMatching(/is back after \d+ ms$/),
    ]);
  });

  it('ends neither the traffic of a user whose password was changed nor, once killed, the attempts to come back', async () => {
    const server = await opened.guarded();
    const { connection, log } = await opened.connection(server.options);
    const admin = await server.admin();
    await admin.acl('SETUSER', 'app', 'resetpass', '>another');
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    await admin.client('KILL', 'USER', 'app');
    await eventually(() => connection.error instanceof RedisAuthError);
    await admin.acl('SETUSER', 'app', `>${server.options.password}`);
    await eventually(() => connection.state === 'ready');
    expect(await connection.client.get('app:a')).toBe('1');
    expect(log.texts().join('\n')).not.toContain(server.options.password);
  });
});
