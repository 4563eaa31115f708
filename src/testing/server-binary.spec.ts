import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findServerBinary } from './server-binary.js';

let directory: string;
const before = { ...process.env };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rednest-spec-'));
  delete process.env['REDNEST_REDIS_SERVER'];
});

afterEach(async () => {
  for (const name of ['PATH', 'REDNEST_REDIS_SERVER']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await rm(directory, { recursive: true });
});

async function program(name: string, mode = 0o755): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, '');
  await chmod(path, mode);
  return path;
}

describe('findServerBinary', () => {
  it('takes Valkey where there is no Redis, and Redis where there are both', async () => {
    process.env['PATH'] = [join(directory, 'missing'), directory].join(delimiter);
    const valkey = await program('valkey-server');
    expect(await findServerBinary()).toBe(valkey);
    const redis = await program('redis-server');
    expect(await findServerBinary()).toBe(redis);
  });

  it('obeys the environment variable, a path or a name', async () => {
    const path = await program('redis-next');
    process.env['REDNEST_REDIS_SERVER'] = path;
    expect(await findServerBinary()).toBe(path);
    process.env['PATH'] = directory;
    process.env['REDNEST_REDIS_SERVER'] = 'redis-next';
    expect(await findServerBinary()).toBe(path);
  });

  it('does not fall back when the environment variable names nothing that runs', async () => {
    process.env['REDNEST_REDIS_SERVER'] = join(directory, 'missing');
    await expect(findServerBinary()).rejects.toThrow(/REDNEST_REDIS_SERVER names '.*missing'/);
  });

  it('says what to install when there is none', async () => {
    process.env['PATH'] = directory;
    await expect(findServerBinary()).rejects.toThrow(/apt-get install redis-server.*REDNEST_REDIS_SERVER/);
  });
});
