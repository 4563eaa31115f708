import { describe, expect, it } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { ChildScript } from '../support/child-script.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { usersByClient } from '../support/server-view.js';

const opened = new Opened();

const SCRIPT = new URL('fixtures/bullmq-process.ts', import.meta.url);

const SHUTDOWN_TIMEOUT = 500;

type Message = { event: 'started' } | { event: 'closed'; completed: number };

/** An application with a worker, in a process of its own that a rejection nobody handles would end. */
async function launch(server: RedisServer, job?: object) {
  const messages: Message[] = [];
  const startup: RedisModuleOptions['startup'] = job ? 'required' : 'optional';
  const options = { ...server.options, startup, shutdownTimeout: SHUTDOWN_TIMEOUT };
  const parameters = [options, ...(job ? [job] : [])].map((each) => JSON.stringify(each));
  const child = new ChildScript<never, Message>(SCRIPT, (message) => messages.push(message), { parameters });
  opened.add(child);
  await eventually(() => messages.length === 1, 15_000);
  return { child, messages };
}

describe('an application with a worker', () => {
  it('that closes in the middle of a job finishes it, and ends by itself', async () => {
    const server = await opened.emptyServer();
    const { child, messages } = await launch(server, { rows: 10, pace: 50 });
    child.signal('SIGTERM');
    expect(await child.end()).toEqual({ code: 0, signal: null });
    expect(messages.at(-1)).toEqual({ event: 'closed', completed: 1 });
    expect(await usersByClient(server)).toEqual({});
    expect(await (await server.admin()).zcard('bull:imports:completed')).toBe(1);
    expect(child.output).toBe('');
  });

  it.each([
    ['in the middle of a job', { rows: 100, pace: 50 }],
    ['although Redis was never there', undefined],
  ])('that closes while Redis is away, %s, does not wait for it', async (_, job) => {
    const server = await opened.server({});
    if (!job) await server.kill();
    const { child, messages } = await launch(server, job);
    await server.kill();
    child.signal('SIGTERM');
    expect(await child.end()).toEqual({ code: 0, signal: null });
    expect(messages.at(-1)).toEqual({ event: 'closed', completed: 0 });
    expect(child.output).not.toMatch(/unhandled/i);
  });
});
