import { expect, it } from '@jest/globals';
import { RedisClosedError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';

const opened = new Opened();

it('waits for a connection until it is ready, is closed, or it takes too long', async () => {
  const server = await opened.server({});
  const { connection, app } = await opened.connection(server.options);
  await connection.whenReady(10_000);
  expect(connection.state).toBe('ready');
  await server.kill();
  await eventually(() => connection.state === 'reconnecting');
  await expect(connection.whenReady(300)).rejects.toThrow(/ECONNREFUSED|closed by the server/);
  const waiting = connection.whenReady(30_000);
  await server.restart();
  await waiting;
  await server.kill();
  await eventually(() => connection.state === 'reconnecting');
  const late = connection.whenReady(30_000).catch((error: unknown) => error);
  await app.close();
  expect(await late).toBeInstanceOf(RedisClosedError);
});
