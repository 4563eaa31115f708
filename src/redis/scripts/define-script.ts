import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { toRedisError } from '../errors/classify.js';
import type { RedisClient } from '../driver/redis-client.js';
import type { Redis } from 'ioredis';

export type ScriptArgument = string | number | Buffer;

/** A Lua script and how it is called. */
export interface ScriptDefinition<Input, Reply> {
  /** The Lua source, or the URL of the file it is in, such as `new URL('./transfer.lua', import.meta.url)`. */
  lua: string | URL;
  /** The keys (`KEYS`) that an input stands for. On a Cluster all must lie in one slot. */
  keys: (input: Input) => readonly (string | Buffer)[];
  /** The further arguments (`ARGV`). @default none */
  args?: (input: Input) => readonly ScriptArgument[];
  /** Makes the script's reply what the caller wants. @default the reply as the driver gives it */
  reply?: (raw: unknown, input: Input) => Reply;
}

/** A script that is ready to run; see {@link defineScript}. */
export interface Script<Input, Reply> {
  /** SHA-1 of the source, by which the server knows the script. */
  readonly sha: string;
  readonly source: string;
  /**
   * Runs the script (`EVALSHA`), and sends its source where the server does not know it yet, or no longer (`EVAL`).
   *
   * @throws RedisError
   */
  run(client: RedisClient | Redis, input: Input): Promise<Reply>;
}

/**
 * Defines a Lua script once, with types for what goes in and what comes out. Nothing is sent before it is run.
 *
 * @example
 * const take = defineScript({
 *   lua: `local left = tonumber(redis.call('GET', KEYS[1]) or 0) - ARGV[1]
 *         if left < 0 then return -1 end
 *         redis.call('SET', KEYS[1], left)
 *         return left`,
 *   keys: (stock: { key: string; amount: number }) => [stock.key],
 *   args: (stock) => [stock.amount],
 *   reply: (left) => Number(left),
 * });
 * const left = await take.run(redis, { key: key`stock:${id}`, amount: 2 });
 */
export function defineScript<Input, Reply = unknown>(
  definition: ScriptDefinition<Input, Reply>,
): Script<Input, Reply> {
  const { lua, keys, args, reply } = definition;
  const source = typeof lua === 'string' ? lua : readFileSync(lua, 'utf8');
  const sha = createHash('sha1').update(source).digest('hex');

  function send(client: RedisClient, input: Input): Promise<Reply> {
    const names = keys(input);
    const parameters = [...names, ...(args?.(input) ?? [])];
    const convert = (raw: unknown): Reply => (reply ? reply(raw, input) : (raw as Reply));
    const fail = (error: unknown): never => {
      throw toRedisError(error) ?? error;
    };
    // As an array: there is a limit to how many arguments a call can have.
    return client.evalsha(sha, names.length, parameters as never).then(convert, (error: unknown) => {
      if (!isUnknownScript(error)) return fail(error);
      return client.eval(source, names.length, parameters as never).then(convert, fail);
    });
  }

  // Not an async function: some scripts are run many thousand times a second.
  function run(client: RedisClient, input: Input): Promise<Reply> {
    try {
      return send(client, input);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  return { sha, source, run };
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
