import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { listeningUser } from './fixtures/coherence.js';
import type { CoherenceScenario } from './fixtures/coherence-process.js';

const opened = new Opened();

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Starts a process that listens. */
async function launch(scenario: CoherenceScenario) {
  const parameters = [
    '--import',
    pathOf('../redis/fixtures/typescript.mjs'),
    pathOf('fixtures/coherence-process.ts'),
  ];
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' };
  const child = spawn(process.execPath, parameters, { env, stdio: 'pipe' });
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  opened.add({
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stdin.end(JSON.stringify(scenario));
  await eventually(() => output.includes('started') || output.includes('failed'), 20_000);
  const close = async () => {
    const from = performance.now();
    child.kill('SIGUSR2');
    const [code] = await ended;
    return { code, after: performance.now() - from, output };
  };
  return { output: () => output, close };
}

describe('a process that listens ends by itself', () => {
  it.each<[string, CoherenceScenario['mode'], CoherenceScenario['close'], (server: RedisServer) => unknown]>([
    ['all is well', 'tracking', 'coherence and application', () => undefined],
    ['only the application is closed', 'tracking', 'application', () => undefined],
    ['it listens to messages', 'pubsub', 'coherence and application', () => undefined],
    ['the server answers no more', 'tracking', 'coherence and application', (server) => server.pause()],
    ['the server is gone', 'tracking', 'application', (server) => server.kill()],
  ])('where %s', async (_, mode, close, fault) => {
    const server = await opened.server({ acl: [listeningUser()] });
    const process = await launch({
      options: { ...server.options, shutdownTimeout: 500 },
      mode: mode!,
      close,
    });
    expect(process.output()).toBe('started\n');
    await fault(server);
    const { code, after, output } = await process.close();
    expect(code).toBe(0);
    expect(after).toBeLessThan(2_000);
    expect(output).toMatch(/closed\n$/);
    if (server.state === 'paused') server.resume();
  });

  it('where Redis was never there', async () => {
    const server = await opened.server({ acl: [listeningUser()] });
    await server.kill();
    const options = { ...server.options, startup: 'optional' as const, shutdownTimeout: 500 };
    const process = await launch({ options, close: 'coherence and application' });
    const { code, after } = await process.close();
    expect(code).toBe(0);
    expect(after).toBeLessThan(2_000);
  });

  it('where it listens to a Cluster', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0, acl: [listeningUser()] }));
    const process = await launch({
      options: { ...cluster.options, shutdownTimeout: 500 },
      close: 'application',
    });
    await (await cluster.admin()).set('app:cache:e:default:a', '1');
    await eventually(() => process.output().includes('changed app:cache:e:default:a'));
    const { code, after } = await process.close();
    expect(code).toBe(0);
    expect(after).toBeLessThan(2_000);
  });

  it('after it was told of what another process announced', async () => {
    const server = await opened.server({ acl: [listeningUser()] });
    const scenario = { options: server.options, mode: 'pubsub', close: 'coherence and application' } as const;
    const first = await launch(scenario);
    const second = await launch(scenario);
    await eventually(() => first.output().includes('changed app:cache:e:default:mine'));
    for (const process of [first, second]) expect((await process.close()).code).toBe(0);
    expect(second.output()).not.toContain('changed');
  });
});
