import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Global,
  Inject,
  Injectable,
  Module,
  Post,
  StreamableFile,
  UseInterceptors,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  CACHE_MANAGER,
  Cache,
  CacheCredentials,
  CacheInterceptor,
  CacheKey,
  CacheService,
  CacheTTL,
} from 'rednest';
import { cacheManagerProviders } from '../../src/cache/migration/cache-manager.providers.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

@Global()
@Module({ providers: cacheManagerProviders, exports: cacheManagerProviders })
class CacheManagerModule {}

@Injectable()
class PatchedInterceptor extends CacheInterceptor {
  protected override allowedMethods = ['GET', 'POST'];

  protected override isRequestCacheable(context: ExecutionContext): boolean {
    const { url } = context.switchToHttp().getRequest<{ url: string }>();
    return super.isRequestCacheable(context) && !url.includes('excluded');
  }
}

@Injectable()
class PerUserInterceptor extends CacheInterceptor {
  protected override credentials = 'ignore' as const;

  protected override trackBy(context: ExecutionContext): string | undefined {
    const { headers, url } = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string>; url: string }>();
    return headers['authorization'] && `${headers['authorization']}:${url}`;
  }
}

const userKey = (context: ExecutionContext): string | undefined =>
  context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-key'];

@Controller('old')
@UseInterceptors(CacheInterceptor)
@CacheTTL(60_000)
class OldController {
  constructor(
    private readonly calls: Calls,
    @Inject(CACHE_MANAGER) private readonly cache: Cache,
  ) {}

  @Get('by-url')
  byUrl(): object {
    return { call: this.calls.next() };
  }

  @Post('by-url')
  posted(): object {
    return { call: this.calls.next() };
  }

  @Get('by-key')
  @CacheKey('the-key')
  byKey(): object {
    return { call: this.calls.next() };
  }

  @Get('by-function')
  @CacheKey(userKey)
  byFunction(): object {
    return { call: this.calls.next() };
  }

  @Get('short')
  @CacheTTL(200)
  short(): object {
    return { call: this.calls.next() };
  }

  @Get('short-by-function')
  @CacheTTL(async () => 200)
  shortByFunction(): object {
    return { call: this.calls.next() };
  }

  @Get('no-ttl')
  @CacheTTL(() => {
    throw new Error('out of order');
  })
  noTtl(): object {
    return { call: this.calls.next() };
  }

  @Get('for-all')
  @CacheCredentials('ignore')
  forAll(): object {
    return { call: this.calls.next() };
  }

  @Get('file')
  file(): StreamableFile {
    return new StreamableFile(Buffer.from(String(this.calls.next())));
  }

  @Get('null')
  null(): null {
    this.calls.next();
    return null;
  }

  @Get('stored')
  @UseInterceptors()
  stored(): Promise<unknown> {
    return this.cache.get('the-key');
  }
}

@Controller('patched')
@UseInterceptors(PatchedInterceptor)
class PatchedController {
  constructor(private readonly calls: Calls) {}

  @Post('posted')
  posted(): object {
    return { call: this.calls.next() };
  }

  @Get('excluded')
  excluded(): object {
    return { call: this.calls.next() };
  }
}

@Controller('per-user')
@UseInterceptors(PerUserInterceptor)
class PerUserController {
  constructor(private readonly calls: Calls) {}

  @Get()
  find(): object {
    return { call: this.calls.next() };
  }
}

const start = (adapter: Adapter) =>
  startHttp(opened, {
    adapter,
    imports: [CacheManagerModule],
    controllers: [OldController, PatchedController, PerUserController],
  });

describe.each(ADAPTERS)('CacheInterceptor on %s', (adapter) => {
  it('goes on where the cache fails, and says so', async () => {
    const { app, get, log } = await start(adapter);
    const cache = app.get(CacheService);
    cache.get = () => Promise.reject(new Error('out of order'));
    cache.set = () => Promise.reject(new Error('out of order'));
    for (const call of [1, 2])
      expect(await get('/old/by-url')).toMatchObject({ status: 200, body: `{"call":${call}}` });
    await eventually(() => log.texts('CacheInterceptor').length === 2);
    expect(log.texts('CacheInterceptor')).toEqual([
      expect.stringMatching(/read from the cache: Error: out of order/),
      expect.stringMatching(/be cached: Error: out of order/),
    ]);
  });

  it('goes on without a cache where the function for the TTL fails, and says so', async () => {
    const { get, log } = await start(adapter);
    for (const call of [1, 2])
      expect(await get('/old/no-ttl')).toMatchObject({ status: 200, body: `{"call":${call}}` });
    expect(log.texts('CacheInterceptor')).toEqual([
      '@CacheTTL has failed, and nothing is cached: Error: out of order',
    ]);
  });

  it('caches by URL and by key', async () => {
    const { get, app } = await start(adapter);
    for (const [path, key] of [
      ['/old/by-url?a=1', '/old/by-url?a=1'],
      ['/old/by-key', 'the-key'],
    ] as const) {
      const miss = await get(path);
      expect(miss.cache).toBe('MISS');
      const cached = await eventually(async () => (await app.get(CacheService).get(key)) ?? false);
      expect(JSON.stringify(cached)).toBe(miss.body);
      expect(await get(path)).toMatchObject({ cache: 'HIT', body: miss.body });
    }
    expect((await get('/old/by-url?a=2')).cache).toBe('MISS');
    expect(await app.get<Cache>(CACHE_MANAGER).get('the-key')).toEqual({ call: 2 });
    expect(app.get(Cache)).toBe(app.get(CACHE_MANAGER));
  });

  it('keeps to the TTL, in milliseconds, also from a function', async () => {
    const { get, app } = await start(adapter);
    for (const path of ['/old/short', '/old/short-by-function']) {
      const miss = await get(path);
      await eventually(async () => (await app.get(CacheService).inspect(path)).state !== 'missing');
      await sleep(300);
      expect((await get(path)).body).not.toBe(miss.body);
    }
    await get('/old/by-url');
    const { freshFor } = await eventually(async () => {
      const entry = await app.get(CacheService).inspect('/old/by-url');
      return entry.state === 'fresh' && entry;
    });
    expect(freshFor).toBeGreaterThan(50_000);
    expect(freshFor).toBeLessThanOrEqual(60_000);
  });

  it('does not share what is asked with credentials, unless it is told to', async () => {
    const { get } = await start(adapter);
    for (const path of ['/old/by-url', '/old/by-key'])
      for (const headers of [{ Authorization: 'Bearer a' }, { Cookie: 'session=a' }])
        for (const _ of [1, 2]) expect((await get(path, headers)).cache).toBe('BYPASS');
    expect((await get('/old/by-function', { Authorization: 'Bearer a', 'X-Key': 'a' })).cache).toBe('BYPASS');

    await get('/old/for-all', { Cookie: 'session=a' });
    await eventually(async () => (await get('/old/for-all', { Cookie: 'session=b' })).cache === 'HIT');
    const of = (user: string) => get('/per-user', { Authorization: user });
    const [ann, bob] = [await of('ann'), await of('bob')];
    expect(bob.body).not.toBe(ann.body);
    await eventually(async () => (await of('ann')).cache === 'HIT');
    expect((await of('ann')).body).not.toBe(bob.body);
  });

  it('asks a key function, and does without where it gives none', async () => {
    const { get } = await start(adapter);
    const of = (key: string) => get('/old/by-function', { 'X-Key': key });
    const a = await of('a');
    expect((await of('b')).body).not.toBe(a.body);
    await eventually(async () => (await of('a')).cache === 'HIT');
    for (const _ of [1, 2]) expect((await get('/old/by-function')).cache).toBeUndefined();
  });

  it('caches neither other methods, files nor null', async () => {
    const { get, send, calls } = await start(adapter);
    for (const _ of [1, 2]) {
      expect((await send('POST', '/old/by-url')).cache).toBeUndefined();
      expect((await get('/old/file')).cache).toBe('MISS');
      expect((await get('/old/null')).cache).toBe('MISS');
    }
    expect(calls.of()).toBe(6);
  });

  it('can be extended in the same places', async () => {
    const { get, send } = await start(adapter);
    await send('POST', '/patched/posted');
    await eventually(async () => (await send('POST', '/patched/posted')).cache === 'HIT');
    for (const _ of [1, 2]) expect((await get('/patched/excluded')).cache).toBeUndefined();
  });

  it('works for all handlers, as APP_INTERCEPTOR', async () => {
    @Controller('plain')
    class PlainController {
      constructor(private readonly calls: Calls) {}

      @Get()
      find(): object {
        return { call: this.calls.next() };
      }
    }
    const { get } = await startHttp(opened, {
      adapter,
      imports: [CacheManagerModule],
      controllers: [PlainController],
      providers: [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }],
    });
    await get('/plain');
    await eventually(async () => (await get('/plain')).cache === 'HIT');
  });
});

describe('what CACHE_MANAGER gives', () => {
  const open = async () => {
    const { app } = await startHttp(opened, { adapter: 'express', imports: [CacheManagerModule] });
    return { cache: app.get<Cache>(CACHE_MANAGER), service: app.get(CacheService) };
  };

  it('gets, sets and deletes', async () => {
    const { cache } = await open();
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.set('a', { n: 1 })).toEqual({ n: 1 });
    expect(await cache.get('a')).toEqual({ n: 1 });
    expect(await cache.del('a')).toBe(true);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.del('a')).toBe(true);
    await cache.set('null', null);
    expect(await cache.get('null')).toBeNull();
  });

  it('keeps to TTLs in milliseconds, and to none with 0', async () => {
    const { cache } = await open();
    await cache.set('short', 1, 150);
    await cache.set('long', 1, 60_000);
    await cache.set('endless', 1, 0);
    expect((await cache.ttl('long'))! - Date.now()).toBeGreaterThan(50_000);
    expect((await cache.ttl('long'))! - Date.now()).toBeLessThan(61_000);
    expect(await cache.ttl('endless')).toBeUndefined();
    expect(await cache.ttl('none')).toBeUndefined();
    await sleep(250);
    expect(await cache.mget(['short', 'long', 'endless'])).toEqual([undefined, 1, 1]);
  });

  it('gets, sets and deletes many', async () => {
    const { cache } = await open();
    const list = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 150 },
      { key: 'c', value: 3, ttl: 60_000 },
    ];
    expect(await cache.mset(list)).toBe(list);
    expect(await cache.mget(['a', 'x', 'b', 'c'])).toEqual([1, undefined, 2, 3]);
    await sleep(250);
    expect(await cache.mget(['a', 'b', 'c'])).toEqual([1, undefined, 3]);
    expect(await cache.mdel(['a', 'c'])).toBe(true);
    expect(await cache.mget(['a', 'c'])).toEqual([undefined, undefined]);
  });

  it('empties this cache', async () => {
    const { cache } = await open();
    await cache.set('a', 1);
    expect(await cache.clear()).toBe(true);
    expect(await cache.get('a')).toBeUndefined();
  });

  it('wraps a function: once for all, with a TTL that may depend on the value', async () => {
    const { cache } = await open();
    let runs = 0;
    const make = async (): Promise<number> => {
      await sleep(50);
      return ++runs;
    };
    const values = await Promise.all([1, 2, 3].map(() => cache.wrap('a', make, (value) => value * 200)));
    expect(values).toEqual([1, 1, 1]);
    await sleep(300);
    expect(await cache.wrap('a', make, 60_000)).toBe(2);
    expect(await cache.wrap('a', make)).toBe(2);
    const raw = await cache.wrap('a', make, { raw: true });
    expect(raw.value).toBe(2);
    expect(raw.expires - Date.now()).toBeGreaterThan(50_000);
  });

  it('throws what the function throws, and stores neither that nor undefined', async () => {
    const { cache } = await open();
    await expect(cache.wrap('a', () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
    expect(await cache.wrap('a', () => undefined)).toBeUndefined();
    expect(await cache.wrap('a', () => null)).toBeNull();
    expect(await cache.wrap<number | null>('a', () => 1)).toBeNull();
  });

  it('refreshes in the background what is near its end', async () => {
    const { cache } = await open();
    let runs = 0;
    const make = (): number => ++runs;
    const options = { ttl: 60_000, refreshThreshold: 59_900 };
    expect(await cache.wrap('a', make, options)).toBe(1);
    await sleep(200);
    expect(await cache.wrap('a', make, options)).toBe(1);
    await eventually(async () => (await cache.get('a')) === 2);
    await expect(cache.wrap('a', make, 60_000, () => 0)).resolves.toBe(2);
    expect(runs).toBe(2);
  });
});
