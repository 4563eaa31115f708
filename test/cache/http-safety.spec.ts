import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Header,
  HttpCode,
  HttpException,
  Injectable,
  Module,
  NotFoundException,
  Param,
  Req,
  Res,
  UseGuards,
  VersioningType,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { CacheConfigurationError, HttpCache, type HttpCacheOptions } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

interface TestRequest {
  headers: Record<string, string | undefined>;
  user?: string;
  query: Record<string, string>;
}

interface TestResponse {
  header(name: string, value: string): void;
}

const SET = { passthrough: true } as const;

/** As a middleware or guard that knows the user by another way than the headers for credentials. */
@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<TestRequest>();
    const user = request.headers['x-user'];
    if (user !== undefined) request.user = user;
    return true;
  }
}

@Controller('safe')
@UseGuards(UserGuard)
class SafeController {
  constructor(private readonly calls: Calls) {}

  @Get('shared')
  @HttpCache()
  shared(@Req() { headers }: TestRequest): string {
    return this.#answer(headers.authorization ?? headers['cookie'] ?? 'nobody');
  }

  @Get('for-all')
  @HttpCache({ credentials: 'ignore' })
  forAll(): string {
    return this.#answer('all');
  }

  @Get('own')
  @HttpCache<TestRequest>({ scope: 'user', user: ({ user }) => user })
  own(@Req() { user }: TestRequest): string {
    return this.#answer(user ?? 'nobody');
  }

  @Get('set-cookie')
  @HttpCache()
  setCookie(@Res(SET) response: TestResponse): string {
    response.header('Set-Cookie', 'session=1');
    return this.#answer('cookie');
  }

  @Get('language')
  @HttpCache({ vary: ['Accept-Language'] })
  language(@Req() { headers }: TestRequest): string {
    return this.#answer(headers['accept-language'] ?? '-');
  }

  @Get('vary/:name')
  @HttpCache({ vary: ['Accept-Language'] })
  vary(@Param('name') name: string, @Res(SET) response: TestResponse): string {
    response.header('Vary', name === 'all' ? '*' : name);
    return this.#answer(name);
  }

  @Get('origin')
  @HttpCache()
  origin(@Req() { headers }: TestRequest, @Res(SET) response: TestResponse): string {
    response.header('Access-Control-Allow-Origin', headers['origin'] ?? '*');
    return this.#answer('origin');
  }

  @Get('encoded')
  @HttpCache()
  encoded(@Res(SET) response: TestResponse): string {
    response.header('Content-Encoding', 'identity');
    return this.#answer('encoded');
  }

  @Get('control')
  @HttpCache()
  control(@Req() { query }: TestRequest, @Res(SET) response: TestResponse): string {
    response.header('Cache-Control', query['value'] ?? '');
    return this.#answer('control');
  }

  @Get('expires')
  @HttpCache()
  expires(@Req() { query }: TestRequest, @Res(SET) response: TestResponse): string {
    response.header('Expires', query['value'] ?? '');
    if (query['control']) response.header('Cache-Control', query['control']);
    return this.#answer('expires');
  }

  @Get('revalidated')
  @HttpCache({ cacheControl: 'revalidate' })
  revalidated(): string {
    return this.#answer('revalidated');
  }

  @Get('private')
  @HttpCache<TestRequest>({ scope: 'user', user: ({ user }) => user })
  @Header('Cache-Control', 'private, max-age=30')
  private(): string {
    return this.#answer('private');
  }

  @Get('status/:status')
  @HttpCache()
  status(@Param('status') status: string, @Res(SET) response: { status(status: number): void }): string {
    response.status(Number(status));
    return this.#answer(status);
  }

  @Get('missing')
  @HttpCode(404)
  @HttpCache()
  missing(): string {
    return this.#answer('missing');
  }

  @Get('throws/:status')
  @HttpCache()
  throws(@Param('status') status: string): string {
    this.calls.next();
    throw status === '404' ? new NotFoundException() : new HttpException('no', Number(status));
  }

  @Get(['echo/:a', 'echo/:a/:b'])
  @HttpCache()
  echo(@Req() { headers }: TestRequest): string {
    return this.#answer(headers['x-forwarded-host'] ?? headers['host'] ?? '');
  }

  @Get('listed')
  @HttpCache({ query: ['page', 'sort'] })
  listed(@Req() { query }: TestRequest): string {
    return this.#answer(query['page'] ?? '');
  }

  @Get('keyed/:id')
  @HttpCache<{ params: { id: string } }>({ key: ({ params }) => params.id })
  keyed(@Param('id') id: string): string {
    return this.#answer(id);
  }

  @Get('large')
  @HttpCache({ maxBodySize: 10 })
  large(): string {
    return this.#answer('more than ten bytes');
  }

  #answer(text: string): string {
    return `${text} ${this.calls.next()}`;
  }
}

const start = (adapter: Adapter, configure?: (app: INestApplication) => void) =>
  startHttp(opened, { adapter, controllers: [SafeController], ...(configure && { configure }) });

describe.each(ADAPTERS)('what HTTP caching shares on %s', (adapter) => {
  it('never shares a request that says who asks', async () => {
    const { get, calls } = await start(adapter);
    const shared = await get('/safe/shared');
    expect(shared).toMatchObject({ cache: 'MISS', headers: { vary: 'Authorization, Cookie' } });
    for (const [name, value] of [
      ['Authorization', 'Bearer a'],
      ['Cookie', 'session=a'],
      ['X-Api-Key', 'a'],
      ['X-User', 'ann'],
    ] as const) {
      for (const _ of [1, 2]) {
        const answer = await get('/safe/shared', { [name]: value });
        expect(answer).toMatchObject({ status: 200, cache: 'BYPASS' });
        expect(answer.headers.etag ?? '').not.toBe(shared.headers.etag);
      }
    }
    expect(calls.of()).toBe(9);
    expect(await get('/safe/shared')).toMatchObject({ cache: 'HIT', body: 'nobody 1' });
  });

  it('shares it where the handler says that it is the same for all', async () => {
    const { get } = await start(adapter);
    expect((await get('/safe/for-all', { Cookie: 'a=1' })).cache).toBe('MISS');
    const hit = await get('/safe/for-all', { Authorization: 'Bearer b', 'X-User': 'ann' });
    expect(hit).toMatchObject({ cache: 'HIT', body: 'all 1' });
    expect(hit.headers.vary).toBeUndefined();
  });

  it('keeps the responses of users apart, and private', async () => {
    const { get, calls } = await start(adapter);
    const of = (user: string) => get('/safe/own', { 'X-User': user, Authorization: `Bearer ${user}` });
    expect(await of('ann')).toMatchObject({
      cache: 'MISS',
      body: 'ann 1',
      headers: { 'cache-control': 'private, max-age=60' },
    });
    expect(await of('bob')).toMatchObject({ cache: 'MISS', body: 'bob 2' });
    expect(await of('ann')).toMatchObject({
      cache: 'HIT',
      body: 'ann 1',
      headers: { 'cache-control': 'private, max-age=60' },
    });
    expect(await of('bob')).toMatchObject({ cache: 'HIT', body: 'bob 2' });
    for (const _ of [1, 2]) expect((await get('/safe/own')).cache).toBe('BYPASS');
    expect(calls.of()).toBe(4);

    const user = { 'X-User': 'ann' };
    await get('/safe/private', user);
    expect(await get('/safe/private', user)).toMatchObject({
      cache: 'HIT',
      headers: { 'cache-control': 'private, max-age=30' },
    });
  });

  it('stores nothing with Set-Cookie, whoever sets it and however late', async () => {
    const { get } = await start(adapter);
    for (const _ of [1, 2]) {
      const answer = await get('/safe/set-cookie');
      expect(answer).toMatchObject({ cache: 'BYPASS', headers: { 'set-cookie': ['session=1'] } });
      expect(answer.headers['cache-control']).toBeUndefined();
    }

    const late = await start(adapter, (app) => setCookieLate(app, adapter));
    for (const call of [1, 2])
      expect(await late.get('/safe/shared')).toMatchObject({
        body: `nobody ${call}`,
        headers: { 'set-cookie': ['late=1'] },
      });
  });

  it.each([setCookieLate, setCookieByWriteHead])(
    'keeps proxies from giving all a cookie that comes late: %p',
    async (setCookie) => {
      let isLate = false;
      const { get } = await start(adapter, (app) => setCookie(app, adapter, () => isLate));
      const usual = { shared: 'max-age=60', revalidated: 'no-cache' };
      for (const [path, control] of Object.entries(usual)) {
        isLate = true;
        const miss = await get(`/safe/${path}`);
        expect(miss.headers).toMatchObject({
          'set-cookie': ['late=1'],
          'cache-control': `private, ${control}`,
        });
        isLate = false;
        await eventually(async () => (await get(`/safe/${path}`)).cache === 'HIT');
        expect((await get(`/safe/${path}`)).headers['cache-control']).toBe(control);
        isLate = true;
        const hit = await get(`/safe/${path}`);
        expect(hit).toMatchObject({
          cache: 'HIT',
          headers: { 'set-cookie': ['late=1'], 'cache-control': `private, ${control}` },
        });
      }
      // The handler has said itself what is to be done.
      expect((await get('/safe/control?value=public')).headers['cache-control']).toBe('public');
    },
  );

  it.each([
    ['0', undefined, 'BYPASS'],
    ['-1', undefined, 'BYPASS'],
    ['tomorrow', undefined, 'BYPASS'],
    ['2099', undefined, 'BYPASS'],
    ['Tue, 01 Jul 2025 10:00:00 GMT', undefined, 'BYPASS'],
    ['Tue, 01 Jul 2025 10:00:00 GMT', 'max-age=60', 'HIT'],
    ['Tue, 01 Jul 2025 10:00:00 GMT', 'public', 'BYPASS'],
    [new Date(Date.now() + 600_000).toUTCString(), undefined, 'HIT'],
  ])('heeds Expires: %s with Cache-Control: %s', async (value, control, cache) => {
    const { get } = await start(adapter);
    const path = `/safe/expires?value=${encodeURIComponent(value)}${control ? `&control=${control}` : ''}`;
    await get(path);
    const again = await get(path);
    expect(again).toMatchObject({ cache, headers: { expires: value } });
    const sent = again.headers['cache-control'];
    if (control !== undefined || cache === 'BYPASS') {
      expect(sent).toBe(control);
      return;
    }
    const [, maxAge] = /^max-age=(\d+)$/.exec(String(sent)) ?? [];
    expect(Number(maxAge)).toBeGreaterThan(60);
    expect(Number(maxAge)).toBeLessThanOrEqual(600);
  });

  it.each([
    ['no-store', 'BYPASS'],
    ['private', 'BYPASS'],
    ['No-Cache', 'BYPASS'],
    ['max-age=0', 'BYPASS'],
    ['max-age=nonsense', 'BYPASS'],
    ['s-maxage=0, max-age=60', 'BYPASS'],
    ['public, max-age=60', 'HIT'],
    ['max-age=0, s-maxage="60"', 'HIT'],
    ['immutable', 'HIT'],
  ])('heeds the Cache-Control of the handler: %s', async (value, cache) => {
    const { get } = await start(adapter);
    const path = `/safe/control?value=${encodeURIComponent(value)}`;
    await get(path);
    const again = await get(path);
    expect(again).toMatchObject({ cache, headers: { 'cache-control': value } });
  });

  it('keeps apart what differs by the headers of vary, and stores nothing that differs by others', async () => {
    const { get } = await start(adapter);
    const inLanguage = (language: string) => get('/safe/language', { 'Accept-Language': language });
    expect(await inLanguage('de')).toMatchObject({
      body: 'de 1',
      headers: { vary: 'Accept-Language, Authorization, Cookie' },
    });
    expect(await inLanguage('fr')).toMatchObject({ body: 'fr 2' });
    expect(await inLanguage('de')).toMatchObject({
      cache: 'HIT',
      body: 'de 1',
      headers: { vary: 'Accept-Language, Authorization, Cookie' },
    });
    expect(await get('/safe/language')).toMatchObject({ cache: 'MISS', body: '- 3' });

    for (const name of ['all', 'X-Tenant', 'Accept-Encoding']) {
      await get(`/safe/vary/${name}`);
      expect([name, (await get(`/safe/vary/${name}`)).cache]).toEqual([name, 'BYPASS']);
    }
    await get('/safe/vary/accept-language');
    expect((await get('/safe/vary/accept-language')).cache).toBe('HIT');
  });

  it('stores no body that is encoded, or for one origin', async () => {
    const { get } = await start(adapter);
    for (const _ of [1, 2]) {
      expect((await get('/safe/encoded')).cache).toBe('BYPASS');
      expect((await get('/safe/origin', { Origin: 'https://a.test' })).cache).toBe('BYPASS');
    }
    await get('/safe/origin');
    expect((await get('/safe/origin')).cache).toBe('HIT');
  });

  it('leaves to middleware what it sets for each request: CORS', async () => {
    const { get } = await start(adapter, (app) =>
      app.enableCors({ origin: ['https://a.test', 'https://b.test'] }),
    );
    for (const [origin, cache] of [
      ['https://a.test', 'MISS'],
      ['https://b.test', 'HIT'],
    ]) {
      const answer = await get('/safe/shared', { Origin: origin });
      expect(answer).toMatchObject({
        cache,
        body: 'nobody 1',
        headers: { 'access-control-allow-origin': origin },
      });
      expect(answer.headers.vary?.toLowerCase()).toBe('origin, authorization, cookie');
    }
  });

  it('stores only statuses that may be, and no errors', async () => {
    const { get } = await start(adapter);
    for (const status of [200, 203, 300, 404, 410]) {
      await get(`/safe/status/${status}`);
      const again = await get(`/safe/status/${status}`);
      expect(again).toMatchObject({ status, cache: 'HIT' });
      const known = await get(`/safe/status/${status}`, { 'If-None-Match': '*' });
      expect(known.status).toBe(status === 200 ? 304 : status);
    }
    for (const status of [201, 206, 302, 400, 403, 429, 500, 503]) {
      await get(`/safe/status/${status}`);
      expect([status, (await get(`/safe/status/${status}`)).cache]).not.toEqual([status, 'HIT']);
    }
    await get('/safe/missing');
    expect(await get('/safe/missing')).toMatchObject({ status: 404, cache: 'HIT' });
    for (const status of [404, 410, 500]) {
      const before = await get(`/safe/throws/${status}`);
      const again = await get(`/safe/throws/${status}`);
      expect(again).toMatchObject({ status, cache: 'MISS', body: before.body });
      expect(again.headers).not.toHaveProperty('cache-control');
    }
  });

  it('does not let one request decide what another is answered', async () => {
    const { get, send } = await start(adapter);
    const host = { Host: 'shop.test' };
    await get('/safe/echo/a', { ...host, 'X-Forwarded-Host': 'evil.test' });
    expect((await get('/safe/echo/a', host)).body).toBe('shop.test 2');
    await get('/safe/echo/b', { Host: 'a.test' });
    expect((await get('/safe/echo/b', { Host: 'b.test' })).body).toBe('b.test 4');
    expect(await get('/safe/echo/b', { Host: 'B.test' })).toMatchObject({ cache: 'HIT', body: 'b.test 4' });

    const withBody = await send(
      'GET',
      '/safe/echo/a',
      { ...host, 'Content-Type': 'text/plain', 'Content-Length': '4' },
      'evil',
    );
    expect(withBody.cache === 'BYPASS' || withBody.status >= 400).toBe(true);
    expect((await get('/safe/echo/a', { ...host, Range: 'bytes=0-1' })).cache).toBe('BYPASS');
  });

  it.each([
    ['/safe/echo/a/b', '/safe/echo/a%2Fb'],
    ['/safe/echo/x', '/safe/echo/X'],
    ['/safe/echo/x?a=1&a=2', '/safe/echo/x?a=2&a=1'],
    ['/safe/echo/x?a=1&a[]=2', '/safe/echo/x?a[]=2&a=1'],
    ['/safe/echo/x?a=1&%61=2', '/safe/echo/x?%61=2&a=1'],
    ['/safe/echo/x?a=1&b=2', '/safe/echo/x?a=1%26b=2'],
    ['/safe/echo/x?a=', '/safe/echo/x?a'],
    ['/safe/echo/x%3Fa=1', '/safe/echo/x?a=1'],
    ['/safe/echo/x:y', '/safe/echo/x/y'],
    ['/safe/language', '/safe/echo/language'],
  ])('tells %s from %s', async (one, other) => {
    const { get } = await start(adapter);
    expect((await get(one)).cache).toBe('MISS');
    expect((await get(other)).cache).toBe('MISS');
    expect((await get(one)).cache).toBe('HIT');
  });

  it('takes for the same what is the same', async () => {
    const { get } = await start(adapter);
    expect((await get('/safe/echo/x?b=2&a=1&a=3')).cache).toBe('MISS');
    expect((await get('/safe/echo/x?a=1&b=2&a=3')).cache).toBe('HIT');
    expect((await get('/safe/listed?page=1&utm_source=a')).cache).toBe('MISS');
    expect((await get('/safe/listed?fbclid=b&page=1')).cache).toBe('HIT');
    expect((await get('/safe/listed?[page]=2&page=1')).cache).toBe('MISS');
    expect((await get('/safe/keyed/1?a=1')).cache).toBe('MISS');
    expect((await get('/safe/keyed/1?a=2')).cache).toBe('HIT');
  });

  it('keeps keys within bounds and in their place, without secrets in them', async () => {
    const server = await opened.server({});
    const { get } = await startHttp(opened, {
      adapter,
      controllers: [SafeController],
      redis: server.options,
    });
    await get(`/safe/echo/a?token={a}*&long=${'x'.repeat(2_000)}`);
    await get('/safe/keyed/%7B1%7D:*%0A');
    await get('/safe/own', { 'X-User': 's3cret-user' });
    const admin = await server.admin();
    const keys = await eventually(async () => {
      const stored = await admin.keys('app:cache:e:*');
      return stored.length === 3 && stored;
    });
    for (const key of keys) {
      expect(key.length).toBeLessThan(600);
      expect(key).not.toMatch(/[{}*?\s]|s3cret/);
      expect(key).toMatch(/^app:cache:e:default:http:SafeController\.(echo|keyed|own):/);
    }
  });

  it('does not store a body over the limit', async () => {
    const { get } = await start(adapter);
    for (const call of [1, 2])
      expect(await get('/safe/large')).toMatchObject({
        cache: 'BYPASS',
        body: `more than ten bytes ${call}`,
      });
  });

  it('tells versions of a route apart', async () => {
    const { get } = await startHttp(opened, {
      adapter,
      imports: [FirstModule, SecondModule],
      configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
    });
    const version = (number: string) => get('/versions', { 'X-Version': number });
    for (const cache of ['MISS', 'HIT']) {
      expect(await version('1')).toMatchObject({ cache, body: 'first' });
      expect(await version('2')).toMatchObject({ cache, body: 'second' });
    }
  });
});

function versionModules() {
  const make = (version: string, text: string) => {
    @Controller({ path: 'versions', version })
    class VersionController {
      @Get()
      @HttpCache()
      find(): string {
        return text;
      }
    }
    return VersionController;
  };
  return [make('1', 'first'), make('2', 'second')] as const;
}

const [First, Second] = versionModules();

@Module({ controllers: [First] })
class FirstModule {}

@Module({ controllers: [Second] })
class SecondModule {}

/** As session middleware does: when the headers are written. */
function setCookieLate(app: INestApplication, adapter: Adapter, isLate: () => boolean = () => true): void {
  if (adapter === 'fastify') {
    const fastify = app.getHttpAdapter().getInstance() as {
      addHook(name: string, hook: (request: unknown, reply: TestResponse) => Promise<void>): void;
    };
    fastify.addHook('onSend', async (_request, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (isLate()) reply.header('Set-Cookie', 'late=1');
    });
    return;
  }
  setCookieByWriteHead(app, adapter, isLate);
}

/** As middleware does that knows nothing of the framework. */
function setCookieByWriteHead(app: INestApplication, _adapter: Adapter, isLate: () => boolean): void {
  app.use(
    (
      _request: unknown,
      response: { writeHead: (...rest: unknown[]) => unknown; setHeader(name: string, value: string): void },
      next: () => void,
    ) => {
      const { writeHead } = response;
      response.writeHead = (...rest) => {
        if (isLate()) response.setHeader('Set-Cookie', 'late=1');
        return writeHead.apply(response, rest);
      };
      next();
    },
  );
}

describe('the options of @HttpCache', () => {
  it.each<[HttpCacheOptions | Record<string, unknown>, RegExp]>([
    [{ ttl: 'soon' }, /ttl: 'soon' is not a duration/],
    [{ maxBodySize: '1tb' }, /maxBodySize: '1tb' is not a size/],
    [{ waitTimeout: 'long' }, /waitTimeout: 'long' is not a duration/],
    [{ vary: ['*'] }, /vary: \["\*"\] is not a list of header names/],
    [{ user: () => 'a', scope: 'shared' }, /scope: must be 'user'/],
    [{ scope: 'public' }, /scope: "public" is not one of 'shared', 'user'/],
    [{ tags: 'a' }, /tags: "a" is not a list of tags/],
    [{ key: 'a' }, /key: "a" is not a function/],
    [{ tll: 5 }, /tll: there is no such option/],
  ])('refuses %j', (options, message) => {
    class Cities {
      findOne(): void {}
    }
    const decorate = HttpCache(options as HttpCacheOptions);
    const onMethod = (): unknown =>
      decorate(Cities.prototype, 'findOne', Object.getOwnPropertyDescriptor(Cities.prototype, 'findOne')!);
    expect(onMethod).toThrow(CacheConfigurationError);
    expect(onMethod).toThrow(message);
    expect(onMethod).toThrow(/^@HttpCache on Cities\.findOne is not/);
    expect(() => decorate(Cities)).toThrow(/^@HttpCache on Cities is not/);
  });

  const user = (): string => 'ann';

  it.each<[string, HttpCacheOptions | undefined, HttpCacheOptions | undefined, RegExp]>([
    ['no user', undefined, { scope: 'user' }, /user: is missing/],
    ['no user', { scope: 'user' }, undefined, /user: is missing/],
    ['no user', { scope: 'user' }, { ttl: '5s' }, /user: is missing/],
    ['no scope', undefined, { user }, /scope: must be 'user'/],
    ['no scope', { user }, { ttl: '5s' }, /scope: must be 'user'/],
  ])('refuses at boot what is not complete, %s: %j and %j', async (_what, onClass, onMethod, message) => {
    const boot = async (): Promise<unknown> =>
      startHttp(opened, { adapter: 'express', controllers: [scoped(onClass, onMethod)] });
    await expect(boot()).rejects.toThrow(message);
    await expect(boot()).rejects.toThrow(/^@HttpCache on ScopedController\.find is not/);
  });

  it.each<[HttpCacheOptions | undefined, HttpCacheOptions | undefined, string]>([
    [{ scope: 'user' }, { user }, 'private, max-age=60'],
    [{ user }, { scope: 'user' }, 'private, max-age=60'],
    [{ scope: 'user', user }, { ttl: '5s' }, 'private, max-age=5'],
    [{ scope: 'user', user }, { scope: 'shared' }, 'max-age=60'],
  ])('takes those of controller and handler together: %j and %j', async (onClass, onMethod, control) => {
    const { get } = await startHttp(opened, { adapter: 'express', controllers: [scoped(onClass, onMethod)] });
    expect((await get('/scoped')).headers['cache-control']).toBe(control);
  });
});

function scoped(onClass: HttpCacheOptions | undefined, onMethod: HttpCacheOptions | undefined) {
  const nothing = (): void => undefined;
  @Controller('scoped')
  @(onClass ? HttpCache(onClass) : nothing)
  class ScopedController {
    @Get()
    @(onMethod ? HttpCache(onMethod) : nothing)
    find(): string {
      return 'found';
    }
  }
  return ScopedController;
}
