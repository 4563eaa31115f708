import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Param,
  Query,
  Redirect,
  Req,
  Res,
  SetMetadata,
  Sse,
  type INestApplication,
  type MessageEvent,
} from '@nestjs/common';
import { of, type Observable } from 'rxjs';
import { HttpCache, HttpCacheInterceptor } from 'rednest';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

interface Response {
  send(body: unknown): void;
}

interface RawResponse extends NodeJS.WritableStream {
  writeHead(status: number): void;
}

interface City {
  readonly id: string;
  readonly call: number;
}

/** New ones for each test: what Nest has built once is known. */
function families() {
  @Controller('base')
  class Base {
    constructor(protected readonly calls: Calls) {}

    @Get('unmarked/:id')
    @HttpCache()
    async unmarked(@Param('id') id: string): Promise<City> {
      return this.city(id);
    }

    @Get('excluded/:id')
    @HttpCache()
    async excluded(@Param('id') id: string): Promise<City> {
      return this.city(id);
    }

    @Get('synchronous/:id')
    @HttpCache()
    synchronous(@Param('id') id: string): City {
      return this.city(id);
    }

    @Get('own/:id')
    @HttpCache()
    own(@Param('id') id: string): unknown {
      return this.city(id);
    }

    @Get('preset/:id')
    @HttpCache()
    preset(@Param('id') id: string): unknown {
      return this.city(id);
    }

    @Get('inherited/:id')
    @HttpCache()
    inherited(@Param('id') id: string): City {
      return this.city(id);
    }

    city(id: string): City {
      return { id, call: this.calls.next() };
    }
  }

  @Controller('sub')
  class Sub extends Base {
    @Get('unmarked/:id')
    override async unmarked(...args: Parameters<Base['unmarked']>): Promise<City> {
      return { ...(await super.unmarked(...args)), ...this.added(args) };
    }

    @Get('excluded/:id')
    @HttpCache(false)
    override async excluded(...args: Parameters<Base['excluded']>): Promise<City> {
      return { ...(await super.excluded(...args)), ...this.added(args) };
    }

    @Get('synchronous/:id')
    override synchronous(...args: Parameters<Base['synchronous']>): City {
      return { ...super.synchronous(...args), ...this.added(args) };
    }

    @Get('own/:id')
    override own(id: string, @Res() response?: Response): void {
      setImmediate(() => response?.send({ ...this.city(id), ...this.added([id]) }));
    }

    @Get('preset/:id')
    override preset(id: string, depth: unknown = 1): unknown {
      return { ...this.city(id), ...this.added([id]), depth };
    }

    added(args: readonly unknown[]): object {
      return { only: this.calls.next('sub'), args: args.length };
    }
  }
  return { Base, Sub };
}

type Families = ReturnType<typeof families>;

describe.each(ADAPTERS)(
  'a cache right before its handler on %s, and a subclass that overrides it',
  (adapter) => {
    it.each([
      ['is built after', ({ Base, Sub }: Families) => [Base, Sub]],
      ['is built before', ({ Base, Sub }: Families) => [Sub, Base]],
      ['is the only one', ({ Sub }: Families) => [Sub]],
    ] as const)('leaves it alone where it %s', async (_when, controllers) => {
      const classes = families();
      await expectApart(adapter, controllers(classes));
      // What has been found out of classes holds for a second application.
      await expectApart(adapter, [classes.Base, classes.Sub]);
    });

    it('leaves it alone where it is defined when its base is in use', async () => {
      const { Base } = families();
      await startHttp(opened, { adapter, controllers: [Base] });
      @Controller('late')
      class Late extends Base {
        @Get('own/:id')
        override own(id: string, @Res() response?: Response): void {
          setImmediate(() => response?.send({ id, late: this.calls.next() }));
        }

        @Get('preset/:id')
        @HttpCache()
        override preset(@Param('id') id: string): unknown {
          return { id, late: this.calls.next() };
        }
      }
      @Controller('latest')
      class Latest extends Late {}
      const { get } = await startHttp(opened, { adapter, controllers: [Late, Latest] });
      expect(await get('/late/own/1')).toMatchObject({ cache: undefined, body: '{"id":"1","late":1}' });
      expect(await get('/late/preset/1')).toMatchObject({ cache: 'MISS', body: '{"id":"1","late":2}' });
      expect(await get('/late/preset/1')).toMatchObject({ cache: 'HIT', body: '{"id":"1","late":2}' });
      expect(await get('/latest/preset/1')).toMatchObject({ cache: 'MISS', body: '{"id":"1","late":3}' });
      expect(await get('/latest/preset/1')).toMatchObject({ cache: 'HIT', body: '{"id":"1","late":3}' });
      expect(interceptorsOf(Late, 'preset')()).toEqual([]);
    });
  },
);

async function expectApart(adapter: Adapter, controllers: Families['Base'][]): Promise<void> {
  const { get } = await startHttp(opened, { adapter, controllers });
  let only = 0;
  for (const name of ['unmarked', 'excluded', 'synchronous', 'own', 'preset'])
    for (let asked = 0; asked < 2; asked++) {
      const { status, cache, body } = await get(`/sub/${name}/1`);
      expect([name, status, cache]).toEqual([name, 200, undefined]);
      const depth = name === 'preset' ? { depth: 1 } : {};
      expect(JSON.parse(body)).toEqual({
        id: '1',
        call: expect.any(Number),
        only: ++only,
        args: 1,
        ...depth,
      });
    }
  const paths = ['/sub/inherited/1', ...(controllers.length > 1 ? ['/base/unmarked/1', '/base/own/1'] : [])];
  for (const path of paths)
    for (const cache of ['MISS', 'HIT']) expect(await get(path)).toMatchObject({ status: 200, cache });
}

/** Of an application: whoever stands between cache and method may look at all arguments. */
function counted(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const method = descriptor.value as (...args: unknown[]) => object;
  descriptor.value = function (this: unknown, ...args: unknown[]): object {
    return { ...method.apply(this, args), args: args.length };
  };
}

@Controller('unusual')
class UnusualController {
  constructor(private readonly calls: Calls) {}

  @Get('replaced')
  @HttpCache()
  replaced(): object {
    return { call: this.calls.next() };
  }

  @Get('plain/:id')
  @HttpCache()
  @counted
  plain(@Param('id') id: string): object {
    return { id, call: this.calls.next() };
  }

  @Get('preset/:id')
  @HttpCache()
  preset(@Param('id') id: string, depth = 1, language: unknown = 'en'): object {
    return { id, depth, language };
  }

  @Get('calls')
  callAll(@Req() request: object, @Res({ passthrough: true }) response: object): object {
    const plain = this.plain.bind(this) as (...args: unknown[]) => object;
    return [
      plain('1', 2, 'de'),
      plain('1', { of: 2 }, { of: 3 }),
      plain('1', null, null),
      plain('1', request, response),
      plain('1', response, request, 4),
      this.preset('1', 2, 'de'),
      this.preset('1', 2, { of: 3 }),
    ];
  }

  @Sse('events')
  @HttpCache()
  events(@Query('x') x = 'none', extra: unknown = 'none'): Observable<MessageEvent> {
    return of({ data: `${x} ${String(extra)}` });
  }

  @Get('redirected')
  @Redirect('/unusual/nowhere')
  @HttpCache()
  redirected(@Query('x') x = 'none', extra: unknown = 'none'): object {
    return { url: `/unusual/${x}-${String(extra)}` };
  }

  @Sse('plain-events')
  @HttpCache()
  plainEvents(@Query('x') x: string): Observable<MessageEvent> {
    return of({ data: x });
  }

  @Get('hybrid')
  @SetMetadata('microservices:pattern', ['hybrid'])
  @HttpCache()
  hybrid(): object {
    return { call: this.calls.next() };
  }

  @Get('by-default')
  @HttpCache()
  byDefault(filter: unknown = 'none'): object {
    return { filter, call: this.calls.next() };
  }
}

@Controller('frozen')
class FrozenController {
  constructor(private readonly calls: Calls) {
    Object.freeze(this);
  }

  @Get()
  @HttpCache()
  find(): object {
    return { call: this.calls.next() };
  }
}

function interceptorsOf<T extends object>(controller: new (calls: Calls) => T, name: keyof T): () => unknown {
  return () => Reflect.getMetadata('__interceptors__', (controller.prototype as T)[name] as object);
}

const startUnusual = (adapter: Adapter) =>
  startHttp(opened, { adapter, controllers: [UnusualController, FrozenController] });

describe.each(ADAPTERS)('a cache right before its handler on %s, where something is unusual', (adapter) => {
  it('passes on what others call the method with', async () => {
    const { get } = await startUnusual(adapter);
    expect(JSON.parse((await get('/unusual/calls')).body)).toEqual([
      { id: '1', call: 1, args: 3 },
      { id: '1', call: 2, args: 3 },
      { id: '1', call: 3, args: 3 },
      { id: '1', call: 4, args: 3 },
      { id: '1', call: 5, args: 4 },
      { id: '1', depth: 2, language: 'de' },
      { id: '1', depth: 2, language: { of: 3 } },
    ]);
    expect((await get('/unusual/plain/1')).body).toBe('{"id":"1","call":6,"args":1}');
    expect((await get('/unusual/preset/1')).body).toBe('{"id":"1","depth":1,"language":"en"}');
  });

  it('keeps away from handlers that are never cached', async () => {
    const { get } = await startUnusual(adapter);
    expect((await get('/unusual/events')).body).toContain('data: none none');
    expect((await get('/unusual/redirected')).headers.location).toBe('/unusual/none-none');
    expect((await get('/unusual/plain-events?x=y')).body).toContain('data: y');
    expect(interceptorsOf(UnusualController, 'plainEvents')()).toEqual([HttpCacheInterceptor]);
  });

  it('does not store what is made of a response after it', async () => {
    const configure = (app: INestApplication): void => {
      const controller = app.get(UnusualController);
      const replaced = controller.replaced.bind(controller);
      const calls = app.get(Calls);
      controller.replaced = (...args) => ({ ...replaced(...args), only: calls.next('only') });
    };
    const { get } = await startHttp(opened, { adapter, controllers: [UnusualController], configure });
    for (const only of [1, 2])
      expect((await get('/unusual/replaced')).body).toBe(`{"call":${only},"only":${only}}`);
  });

  it.each([
    ['/unusual/hybrid', interceptorsOf(UnusualController, 'hybrid')],
    ['/unusual/by-default', interceptorsOf(UnusualController, 'byDefault')],
    ['/frozen', interceptorsOf(FrozenController, 'find')],
  ])('leaves it to the interceptor: %s', async (path, interceptors) => {
    const { get } = await startUnusual(adapter);
    for (const cache of ['MISS', 'HIT']) expect(await get(path)).toMatchObject({ status: 200, cache });
    expect(interceptors()).toEqual([HttpCacheInterceptor]);
  });
});

@Controller('raw')
class RawController {
  @Get('write')
  @HttpCache()
  write(@Res() response: RawResponse): void {
    response.write('a');
    setImmediate(() => response.end('b'));
  }

  @Get('pipe')
  @HttpCache()
  pipe(@Res() response: RawResponse): void {
    Readable.from(['a', 'b']).pipe(response);
  }

  @Get('head')
  @HttpCache()
  head(@Res() response: RawResponse): void {
    response.writeHead(200);
    response.end('ab');
  }

  @Get('failed')
  @HttpCache()
  failed(@Req() _request: object, @Res() response: RawResponse): void {
    response.writeHead(503);
    response.end('ab');
  }
}

describe('X-Cache of a response that a handler writes by itself on express', () => {
  it('says that the cache has no part in it', async () => {
    const { get } = await startHttp(opened, { adapter: 'express', controllers: [RawController] });
    for (const name of ['write', 'pipe', 'head', 'write', 'pipe', 'head'])
      expect(await get(`/raw/${name}`)).toMatchObject({ status: 200, cache: 'BYPASS', body: 'ab' });
    expect(await get('/raw/failed')).toMatchObject({ status: 503, cache: 'MISS' });
  });
});
