import { Injectable } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, of } from 'rxjs';
import { CacheInterceptor, CacheKey, CacheModule, CacheService, CacheTTL } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

const opened = new Opened();

/** What a microservice, a gateway or a resolver has. */
class Handlers {
  @CacheKey('events')
  @CacheTTL(60_000)
  keyed(this: void): void {}

  @CacheKey((context) => context.getArgByIndex<{ id?: string }>(0).id)
  byFunction(this: void): void {}

  bare(this: void): void {}
}

@Injectable()
class Interceptor extends CacheInterceptor {}

async function start(type: string) {
  const { app } = await startApplication([CacheModule.forRoot({ namespace: 'app' })], [Interceptor]);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  const interceptor = app.get(Interceptor);
  let calls = 0;
  const call = async (handler: () => void, argument: object = {}): Promise<unknown> => {
    const context = new ExecutionContextHost([argument], Handlers, handler);
    context.setType(type);
    return lastValueFrom(await interceptor.intercept(context, { handle: () => of(++calls) }));
  };
  return { call, interceptor, cache: app.get(CacheService) };
}

describe.each(['rpc', 'ws', 'graphql'])('CacheInterceptor on a handler of the kind %s', (type) => {
  const { keyed, byFunction, bare } = Handlers.prototype;

  it('caches by @CacheKey, for as long as @CacheTTL says', async () => {
    const { call, cache } = await start(type);
    expect(await call(keyed)).toBe(1);
    await eventually(() => cache.has('events'));
    expect(await call(keyed)).toBe(1);
    const { freshFor } = await cache.inspect('events');
    expect(freshFor).toBeGreaterThan(50_000);
    expect(freshFor).toBeLessThanOrEqual(60_000);
  });

  it('caches by what a key function makes of its arguments', async () => {
    const { call, cache } = await start(type);
    expect(await call(byFunction, { id: 'a' })).toBe(1);
    await eventually(() => cache.has('a'));
    expect(await call(byFunction, { id: 'b' })).toBe(2);
    expect(await call(byFunction, { id: 'a' })).toBe(1);
    for (const run of [3, 4]) expect(await call(byFunction)).toBe(run);
  });

  it('caches nothing without a key', async () => {
    const { call, cache } = await start(type);
    for (const run of [1, 2]) expect(await call(bare)).toBe(run);
    expect(cache.stats()).toMatchObject({ stores: 0, localEntries: 0 });
  });
});
