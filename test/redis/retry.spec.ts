import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  RedisConnectionLostError,
  RedisError,
  RedisUnavailableError,
  RedisWrongTypeError,
  retry,
  withFallback,
} from 'rednest';
import { backoffWithJitter } from '../../src/redis/errors/retry.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { rejection } from './fixtures/rejection.js';

const opened = new Opened();

/** A connection whose Redis is away. */
async function away() {
  const server = await opened.guarded();
  const { connection } = await opened.connection({ ...server.options, maxRetriesPerRequest: 0 });
  await connection.client.rpush('app:list', 'a');
  await server.kill();
  await eventually(() => connection.state === 'reconnecting');
  return { server, client: connection.client };
}

async function present() {
  const server = await opened.guarded();
  const { connection } = await opened.connection(server.options);
  await connection.client.rpush('app:list', 'a');
  return connection.client;
}

describe('retry', () => {
  it('calls again until Redis is back', async () => {
    const { server, client } = await away();
    const attempts: number[] = [];
    const setting = retry(
      async (attempt) => {
        attempts.push(attempt);
        return client.set('app:a', '1');
      },
      { attempts: 100, maxDelay: '100ms' },
    );
    await eventually(() => attempts.length > 2);
    await server.restart();
    expect(await setting).toBe('OK');
    expect(attempts).toEqual(Array.from({ length: attempts.length }, (_, i) => i + 1));
  });

  it('gives up after so many attempts, with the last error', async () => {
    const { client } = await away();
    let calls = 0;
    const setting = retry(() => (calls++, client.set('app:a', '1')), { attempts: 3, maxDelay: 20 });
    const { error } = await rejection(setting);
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect((error as Error).cause).toBeInstanceOf(Error);
    expect(calls).toBe(3);
  });

  it('repeats what may have been executed, since it was asked to', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const admin = await server.admin();
    proxy.swallow('down');
    const errors: unknown[] = [];
    const setting = retry(() =>
      connection.client
        .set('app:a', '1')
        .catch((error: unknown) => Promise.reject(errors[errors.push(error) - 1])),
    );
    await eventually(async () => (await admin.get('app:a')) === '1');
    proxy.cut();
    await proxy.restore();
    expect(await setting).toBe('OK');
    expect(errors).toEqual([expect.any(RedisConnectionLostError)]);
  });

  it('does not repeat a fault of the program', async () => {
    const client = await present();
    let calls = 0;
    await expect(retry(() => (calls++, client.get('app:list')))).rejects.toThrow(RedisWrongTypeError);
    expect(calls).toBe(1);
  });

  it('does not touch errors that do not come from Redis', async () => {
    const own = new Error('of the application');
    let calls = 0;
    await expect(retry(() => (calls++, Promise.reject(own)))).rejects.toBe(own);
    expect(calls).toBe(1);
  });

  it('ends with the last Redis error when its signal is aborted', async () => {
    const { client } = await away();
    const abort = new AbortController();
    let calls = 0;
    const setting = retry(() => (calls++, client.set('app:a', '1')), {
      initialDelay: '1h',
      maxDelay: '1h',
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 300);
    const { error, after } = await rejection(setting);
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect(after).toBeLessThan(2_500);
    expect(calls).toBe(1);
  });

  it('refuses a duration that is none', async () => {
    const options = { initialDelay: 'soon' as '1s' };
    await expect(retry(() => Promise.resolve(1), options)).rejects.toThrow(/initialDelay/);
  });

  it('pauses between 0 and the doubled delay, up to the longest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.nat(60_000),
        fc.nat(60_000),
        (attempt, initial, longest) => {
          const pause = backoffWithJitter(attempt, initial, longest);
          expect(pause).toBeGreaterThanOrEqual(0);
          expect(pause).toBeLessThanOrEqual(Math.min(longest, initial * 2 ** (attempt - 1)));
        },
      ),
    );
  });
});

describe('withFallback', () => {
  it('gives the fallback, or what it computes, while Redis is away, and tells of the error', async () => {
    const { client } = await away();
    const told: RedisError[] = [];
    const onError = (error: RedisError) => void told.push(error);
    expect(await withFallback(() => client.get('app:a'), 'old', { onError })).toBe('old');
    expect(
      await withFallback(
        () => client.get('app:a'),
        async ({ code }) => code,
      ),
    ).toBe('REDIS_UNAVAILABLE');
    expect(told).toEqual([expect.any(RedisUnavailableError)]);
  });

  it('gives what Redis answers when it does, also null', async () => {
    const client = await present();
    expect(await withFallback(() => client.get('app:none'), 'fallback')).toBeNull();
  });

  it('stands in for no fault of the program, unless it is asked to', async () => {
    const client = await present();
    const read = () => client.get('app:list');
    expect((await rejection(withFallback(read, 'fallback'))).redisError).toBeInstanceOf(RedisWrongTypeError);
    expect(await withFallback(read, 'fallback', { on: ['REDIS_WRONG_TYPE'] })).toBe('fallback');
  });

  it('stands in for nothing else than what it is told', async () => {
    const { client } = await away();
    const reading = withFallback(() => client.get('app:a'), 'fallback', { on: ['REDIS_TIMEOUT'] });
    expect((await rejection(reading)).redisError).toBeInstanceOf(RedisUnavailableError);
  });

  it('does not touch errors that do not come from Redis', async () => {
    const own = new Error('of the application');
    await expect(withFallback(() => Promise.reject(own), 'fallback')).rejects.toBe(own);
  });
});
