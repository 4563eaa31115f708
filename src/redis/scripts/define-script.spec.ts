import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { INestApplicationContext } from '@nestjs/common';
import type { RedisServer } from '../../testing/index.js';
import { startConnection, startGuardedRedis } from '../../../test/support/redis-application.js';
import type { RedisClient } from '../driver/redis-client.js';
import { RedisScriptError, RedisWrongTypeError } from '../errors/errors.js';
import { defineScript } from './define-script.js';

const addAll = defineScript({
  lua: `
    local sum = 0
    for i, name in ipairs(KEYS) do sum = sum + redis.call('INCRBY', name, ARGV[i]) end
    return sum`,
  keys: (amounts: Record<string, number>) => Object.keys(amounts),
  args: (amounts) => Object.values(amounts),
  reply: (sum) => Number(sum),
});

describe('defineScript', () => {
  let server: RedisServer;
  let app: INestApplicationContext;
  let redis: RedisClient;

  beforeAll(async () => {
    server = await startGuardedRedis();
    const started = await startConnection(server.options);
    app = started.app;
    redis = started.connection.client;
  });
  afterAll(async () => {
    await app.close();
    await server.stop();
  });

  async function calls(command: string): Promise<number> {
    const statistics = await (await server.admin()).info('commandstats');
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(statistics)?.[1] ?? 0);
  }

  it('passes keys and arguments, any number of them, and decodes the reply', async () => {
    expect(await addAll.run(redis, { 'app:a': 1, 'app:b': 2 })).toBe(3);
    expect(await addAll.run(redis, { 'app:a': 1, 'app:b': 2, 'app:c': 5 })).toBe(11);
  });

  it('sends the source only where the server does not know it', async () => {
    await (await server.admin()).script('FLUSH');
    const before = await calls('eval');
    await addAll.run(redis, { 'app:x': 1 });
    await addAll.run(redis, { 'app:x': 1 });
    expect((await calls('eval')) - before).toBe(1);
    expect(await redis.get('app:x')).toBe('2');
  });

  it('runs once for each call also when many first calls come together', async () => {
    await (await server.admin()).script('FLUSH');
    await Promise.all(Array.from({ length: 50 }, () => addAll.run(redis, { 'app:many': 1 })));
    expect(await redis.get('app:many')).toBe('50');
  });

  it('reads its source from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rednest-script-'));
    await writeFile(join(directory, 'echo.lua'), 'return ARGV[1]');
    const lua = pathToFileURL(join(directory, 'echo.lua'));
    const echo = defineScript<string, string>({ lua, keys: () => [], args: (text) => [text] });
    await rm(directory, { recursive: true });
    expect(await echo.run(redis, 'hello')).toBe('hello');
  });

  it('throws what went wrong as a RedisError', async () => {
    await redis.set('app:text', 'x');
    const wrongType = defineScript({
      lua: "return redis.call('LPUSH', KEYS[1], 1)",
      keys: (name: string) => [name],
    });
    await expect(wrongType.run(redis, 'app:text')).rejects.toThrow(RedisWrongTypeError);
    const broken = defineScript({ lua: 'return nothing.at.all', keys: (name: string) => [name] });
    await expect(broken.run(redis, 'app:text')).rejects.toThrow(RedisScriptError);
  });
});
