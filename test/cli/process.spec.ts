import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { ChildScript } from '../support/child-script.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { asEnvironment, variablesOf } from './fixtures/tool.js';

const TOOL = new URL('../../src/cli/rednest.ts', import.meta.url);
const TYPESCRIPT = new URL('../redis/fixtures/typescript.mjs', import.meta.url);

describe('the rednest command', () => {
  const opened = new Opened();
  let server: RedisServer;
  let env: Record<string, string>;
  beforeAll(async () => {
    server = await startRedis({ config: { 'enable-debug-command': 'yes' } });
    env = asEnvironment(variablesOf(server));
  });
  afterAll(() => server.stop());

  it('prints what it has found until Ctrl-C, and ends with 130', async () => {
    const admin = await server.admin();
    await admin.call('DEBUG', 'POPULATE', '300000');
    await admin.config('RESETSTAT');
    const tool = opened.add(new ChildScript(TOOL, () => undefined, { parameters: ['bigkeys'], env }));
    await eventually(async () => /cmdstat_scan:calls=\d\d/.test(await admin.info('commandstats')), 15_000);
    tool.signal('SIGINT');
    expect(await tool.end()).toEqual({ code: 130, signal: null });
    expect(tool.output).toMatch(/^string +[\d,]+ +[\d.]+ [KM]B$/m);
    expect(tool.output).toMatch(/^Not all keys were looked at, but [\d,]+ keys\.$/m);
    await admin.flushall();
  });

  it('ends when nobody reads what it writes', async () => {
    const parameters = [
      '--import',
      fileURLToPath(TYPESCRIPT),
      fileURLToPath(TOOL),
      'memory',
      '--watch',
      '100ms',
    ];
    const pipeline = spawn('sh', ['-c', '"$@" | head -n 1', 'sh', process.execPath, ...parameters], {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, messages] = await Promise.all([text(pipeline.stdout), text(pipeline.stderr)]);
    if (pipeline.exitCode === null) await once(pipeline, 'close');
    expect(output).toMatch(/^\d\d:\d\d:\d\d {2}[\d.]+ [KM]B\n$/);
    expect(messages).toBe('');
  });
});
