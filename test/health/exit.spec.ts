import { expect, it } from '@jest/globals';
import { ChildScript } from '../support/child-script.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';

const opened = new Opened();

it('a check that is under way, with an hour to go, does not keep the process', async () => {
  const server = await opened.server({});
  const told: unknown[] = [];
  const script = new URL('./fixtures/ends.ts', import.meta.url);
  const child = opened.add(
    new ChildScript<string, unknown>(script, (message) => told.push(message), {
      parameters: [String(server.port)],
    }),
  );
  await eventually(() => told.includes('ready'), 15_000);
  server.pause();
  child.send('end');
  const end = await child.end();
  server.resume();
  expect(end).toEqual({ code: 0, signal: null });
  expect(told.at(-1)).toMatchObject({ status: 'down', code: expect.stringMatching(/^REDIS_/) });
});
