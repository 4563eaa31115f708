import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CONTROLS, placesOf, SECRETS } from './fixtures/secrets.js';

const run = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
let output = '';

/** What the scenarios of `secrets-process.ts` wrote, on both streams. */
async function outputOfScenarios(): Promise<string> {
  const env = { ...process.env, DEBUG: '', NODE_OPTIONS: '' };
  const args = ['--import', run('typescript.mjs'), run('secrets-process.ts')];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString();
}

function lines(start: string): string[] {
  return [...output.matchAll(new RegExp(`^${start} (.*)$`, 'gm'))].map(([, rest = '']) => rest);
}

describe('the whole output of an application that uses every kind of secret', () => {
  beforeAll(async () => {
    output = await outputOfScenarios();
  }, 60_000);

  it('is that of all scenarios, in which what had to fail has failed', () => {
    expect(lines('\\+')).toEqual([
      CONTROLS.event,
      'by-url',
      'by-callback',
      'env',
      'by-sentinel',
      'a-cluster',
      'by-certificate',
      'all',
    ]);
    expect(lines('!')).toEqual([]);
    expect(lines('# failure:')).toHaveLength(27);
    for (const error of ['Auth', 'Tls', 'Unavailable', 'ConnectionLost', 'PoolExhausted', 'Configuration'])
      expect(output).toContain(`Redis${error}Error`);
  });

  it.each(Object.entries(CONTROLS))('is searched: finds what was planted (%s)', (_, planted) => {
    expect(placesOf(planted, output)).not.toEqual([]);
  });

  it.each(Object.entries(SECRETS))('never shows a secret (%s), nor its Base64 or bytes', (_, secret) => {
    expect(placesOf(secret, output)).toEqual([]);
  });
});
