import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Header,
  HttpCode,
  Injectable,
  Redirect,
  Render,
  Res,
  Sse,
  StreamableFile,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type MessageEvent,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { Exclude, Expose } from 'class-transformer';
import { delay, map, of, type Observable } from 'rxjs';
import { HttpCache, HttpCacheInterceptor } from 'rednest';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

interface AnyResponse {
  raw?: import('node:http').ServerResponse;
  send(body: unknown): unknown;
  end(body: unknown): unknown;
  status(status: number): AnyResponse;
}

class User {
  @Exclude() password = 'secret';

  constructor(private readonly id: number) {}

  @Expose() get name(): string {
    return `user ${this.id}`;
  }
}

@Injectable()
class WrapInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Injectable()
class BrokenInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: { name: string }) => data.name.length));
  }
}

@Controller('kinds')
class KindsController {
  constructor(private readonly calls: Calls) {}

  @Get('text')
  @HttpCache()
  text(): string {
    return `text ${this.calls.next()}`;
  }

  @Get('html')
  @Header('Content-Type', 'text/html')
  @HttpCache()
  html(): string {
    return `<p>ü ${this.calls.next()}</p>`;
  }

  @Get('number')
  @HttpCache()
  number(): number {
    return this.calls.next();
  }

  @Get('list')
  @HttpCache()
  async list(): Promise<number[]> {
    return [this.calls.next()];
  }

  @Get('observable')
  @HttpCache()
  observable(): Observable<object> {
    return of({ call: this.calls.next() }).pipe(delay(5));
  }

  @Get('class')
  @HttpCache()
  @UseInterceptors(ClassSerializerInterceptor)
  class(): User {
    return new User(this.calls.next());
  }

  @Get('wrapped')
  @HttpCache()
  @UseInterceptors(WrapInterceptor)
  wrapped(): object {
    return { call: this.calls.next() };
  }

  @Get('wrapped-within')
  @UseInterceptors(WrapInterceptor)
  @HttpCache()
  wrappedWithin(): object {
    return { call: this.calls.next() };
  }

  @Get('broken')
  @HttpCache()
  @UseInterceptors(BrokenInterceptor)
  broken(): object {
    return { name: `name ${this.calls.next()}` };
  }

  @Get('created')
  @HttpCode(203)
  @HttpCache()
  created(): object {
    return { call: this.calls.next() };
  }

  @Get('passthrough')
  @HttpCache()
  passthrough(@Res({ passthrough: true }) response: { header(name: string, value: string): void }): object {
    response.header('X-Total', '7');
    return { call: this.calls.next() };
  }

  @Get('own-response')
  @HttpCache()
  ownResponse(@Res() response: AnyResponse): void {
    response.send({ call: this.calls.next() });
  }

  @Get('late-response')
  @HttpCache()
  async lateResponse(@Res() response: AnyResponse): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await response.status(200).send({ call: this.calls.next() });
  }

  @Get('raw-response')
  @HttpCache()
  rawResponse(@Res() response: AnyResponse): void {
    (response.raw ?? response).end(`raw ${this.calls.next()}`);
  }

  @Get('buffer')
  @HttpCache()
  @Header('Content-Type', 'application/octet-stream')
  buffer(@Res() response: AnyResponse): void {
    response.send(Buffer.from([0, 255, this.calls.next()]));
  }

  @Get('file')
  @HttpCache()
  file(): StreamableFile {
    return new StreamableFile(Buffer.from(`file ${this.calls.next()}`));
  }

  @Get('stream')
  @HttpCache()
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['a', 'b', String(this.calls.next())]));
  }

  @Get('nothing')
  @HttpCache()
  nothing(): void {
    this.calls.next();
  }

  @Get('null')
  @HttpCache()
  null(): null {
    this.calls.next();
    return null;
  }

  @Get('no-content')
  @HttpCode(204)
  @HttpCache()
  noContent(): void {
    this.calls.next();
  }

  @Get('no-content-null')
  @HttpCode(204)
  @HttpCache()
  noContentNull(): null {
    this.calls.next();
    return null;
  }

  @Get('no-stream')
  @HttpCache()
  noStream(): object {
    return { pipe: 'copper', getStream: 1, getReader: null, call: this.calls.next() };
  }

  @Get('redirect')
  @Redirect('/kinds/text', 301)
  @HttpCache()
  redirect(): void {
    this.calls.next();
  }

  @Get('rendered')
  @Render('page')
  @HttpCache()
  rendered(): object {
    return { call: this.calls.next() };
  }

  @Sse('events')
  @HttpCache()
  events(): Observable<MessageEvent> {
    return of({ data: `event ${this.calls.next()}` });
  }

  @Get('big')
  @HttpCache()
  big(): object {
    return { call: this.calls.next(), text: 'x'.repeat(5_000) };
  }
}

const start = (adapter: Adapter, configure?: (app: INestApplication) => void) =>
  startHttp(opened, { adapter, controllers: [KindsController], ...(configure && { configure }) });

describe.each(ADAPTERS)('what handlers return on %s', (adapter) => {
  it.each([
    ['text', 'text 1', adapter === 'express' ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'],
    ['html', '<p>ü 1</p>', adapter === 'express' ? 'text/html; charset=utf-8' : 'text/html'],
    ['number', '1', undefined],
    ['list', '[1]', 'application/json; charset=utf-8'],
    ['observable', '{"call":1}', 'application/json; charset=utf-8'],
    ['class', '{"id":1,"name":"user 1"}', 'application/json; charset=utf-8'],
    ['wrapped', '{"data":{"call":1}}', 'application/json; charset=utf-8'],
    ['wrapped-within', '{"data":{"call":1}}', 'application/json; charset=utf-8'],
    ['passthrough', '{"call":1}', 'application/json; charset=utf-8'],
    ['own-response', '{"call":1}', 'application/json; charset=utf-8'],
    ['late-response', '{"call":1}', 'application/json; charset=utf-8'],
    ['null', adapter === 'express' ? '' : 'null', undefined],
    [
      'no-stream',
      '{"pipe":"copper","getStream":1,"getReader":null,"call":1}',
      'application/json; charset=utf-8',
    ],
  ])('is cached as it was sent: %s', async (path, body, type) => {
    const { get, calls } = await start(adapter);
    const miss = await get(`/kinds/${path}`);
    expect(miss).toMatchObject({ status: 200, cache: 'MISS', body });
    if (type !== undefined) expect(miss.headers['content-type']).toBe(type);
    for (const _ of [1, 2]) {
      const hit = await get(`/kinds/${path}`);
      expect(hit).toMatchObject({ status: 200, cache: 'HIT' });
      expect(hit.bytes).toEqual(miss.bytes);
      expect(hit.headers).toEqual({
        ...miss.headers,
        date: expect.any(String),
        age: expect.any(String),
        'x-cache': 'HIT',
      });
    }
    expect(await get(`/kinds/${path}`, { 'If-None-Match': '*' })).toMatchObject({ status: 304, body: '' });
    expect(calls.of()).toBe(1);
  });

  it('is cached to the byte, with its status', async () => {
    const { get } = await start(adapter);
    expect((await get('/kinds/buffer')).bytes).toEqual(Buffer.from([0, 255, 1]));
    expect(await get('/kinds/buffer')).toMatchObject({ cache: 'HIT', bytes: Buffer.from([0, 255, 1]) });
    await get('/kinds/created');
    expect(await get('/kinds/created')).toMatchObject({
      status: 203,
      cache: 'HIT',
      body: '{"call":1}'.replace('1', '2'),
    });
  });

  it.each([
    ['file', 'file'],
    ['stream', 'ab'],
    ['raw-response', 'raw'],
    ['nothing', ''],
  ])('is sent and not cached: %s', async (path, beginning) => {
    const { get, calls } = await start(adapter);
    for (const _ of [1, 2]) {
      const answer = await get(`/kinds/${path}`);
      expect(answer.status).toBe(200);
      expect(answer.body.startsWith(beginning)).toBe(true);
      expect(answer.cache).not.toBe('HIT');
    }
    expect(calls.of()).toBe(2);
  });

  it.each(['no-content', 'no-content-null'])('is sent without content, and not cached: %s', async (path) => {
    const { get, calls } = await start(adapter);
    for (const _ of [1, 2]) {
      const answer = await get(`/kinds/${path}`);
      expect(answer).toMatchObject({ status: 204, cache: 'BYPASS', body: '' });
      for (const name of ['content-length', 'content-type']) expect(answer.headers).not.toHaveProperty(name);
    }
    expect(calls.of()).toBe(2);
  });

  it('lets redirects and events pass', async () => {
    const { get, calls } = await start(adapter);
    for (const _ of [1, 2]) {
      const redirect = await get('/kinds/redirect');
      expect(redirect).toMatchObject({ status: 301, cache: undefined, headers: { location: '/kinds/text' } });
      const events = await get('/kinds/events');
      expect(events).toMatchObject({ status: 200, cache: undefined });
      expect(events.body).toContain('data: event');
    }
    expect(calls.of()).toBe(4);
  });

  it('caches rendered pages', async () => {
    const { get, calls } = await start(adapter, (app) => useViews(app, adapter));
    const miss = await get('/kinds/rendered');
    expect(miss).toMatchObject({ status: 200, cache: 'MISS', body: '<p>1</p>' });
    expect(await get('/kinds/rendered')).toMatchObject({ status: 200, cache: 'HIT', body: '<p>1</p>' });
    expect(calls.of()).toBe(1);
  });

  it('leaves an error of an interceptor around it alone', async () => {
    const { get } = await start(adapter);
    expect(await get('/kinds/broken')).toMatchObject({ status: 200, body: '6' });
    const hit = await get('/kinds/broken');
    expect(hit).toMatchObject({ status: 500 });
    expect(JSON.parse(hit.body)).toMatchObject({ statusCode: 500 });
  });

  it('is compressed by others for each request', async () => {
    const { get } = await start(adapter, (app) => compress(app, adapter));
    const plain = await get('/kinds/big');
    expect(plain).toMatchObject({ cache: 'MISS' });
    const hit = await get('/kinds/big', { 'Accept-Encoding': 'gzip' });
    expect(hit).toMatchObject({ cache: 'HIT', headers: { 'content-encoding': 'gzip' } });
    expect(gunzipSync(hit.bytes)).toEqual(plain.bytes);
    expect(await get('/kinds/big')).toMatchObject({ cache: 'HIT', body: plain.body });

    const missed = await start(adapter, (app) => compress(app, adapter));
    const compressed = await missed.get('/kinds/big', { 'Accept-Encoding': 'gzip' });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(await missed.get('/kinds/big')).toMatchObject({ cache: 'HIT', body: plain.body });
  });

  it('runs once, whether it stands on the handler, the controller, around all, or everywhere', async () => {
    @Controller('everywhere')
    @HttpCache({ ttl: '5s', vary: ['Accept-Language'] })
    @UseInterceptors(HttpCacheInterceptor)
    class EverywhereController {
      constructor(private readonly calls: Calls) {}

      @Get('inherited')
      inherited(): string {
        return String(this.calls.next());
      }

      @Get('completed')
      @HttpCache({ ttl: '1h' })
      completed(): string {
        return String(this.calls.next());
      }

      @Get('never')
      @HttpCache(false)
      never(): string {
        return String(this.calls.next());
      }
    }

    const { get, calls } = await startHttp(opened, {
      adapter,
      controllers: [EverywhereController, KindsController],
      providers: [
        { provide: APP_INTERCEPTOR, useClass: HttpCacheInterceptor },
        {
          provide: APP_INTERCEPTOR,
          inject: [Reflector],
          useFactory: (reflector: Reflector) => new ClassSerializerInterceptor(reflector),
        },
      ],
    });
    expect(await get('/everywhere/inherited')).toMatchObject({
      cache: 'MISS',
      headers: { 'cache-control': 'max-age=5' },
    });
    expect((await get('/everywhere/inherited')).cache).toBe('HIT');
    expect(await get('/everywhere/completed')).toMatchObject({
      cache: 'MISS',
      headers: { 'cache-control': 'max-age=3600', vary: 'Accept-Language, Authorization, Cookie' },
    });
    expect((await get('/everywhere/completed')).cache).toBe('HIT');
    expect((await get('/everywhere/never')).cache).toBeUndefined();
    expect(calls.of()).toBe(3);
    // Around an interceptor of the handler's, that one does not run for a hit.
    expect((await get('/kinds/broken')).body).toBe('6');
    expect(await get('/kinds/broken')).toMatchObject({ status: 200, cache: 'HIT', body: '6' });
  });
});

/** As `compression` and `@fastify/compress` do: at the last moment. */
function compress(app: INestApplication, adapter: Adapter): void {
  if (adapter === 'fastify') {
    interface Reply {
      header(name: string, value: string): Reply;
      removeHeader(name: string): Reply;
    }
    const fastify = app.getHttpAdapter().getInstance() as {
      addHook(
        name: string,
        hook: (
          request: { headers: Record<string, string> },
          reply: Reply,
          payload: string | Buffer,
        ) => Promise<unknown>,
      ): void;
    };
    fastify.addHook('onSend', async (request, reply, payload) => {
      if (request.headers['accept-encoding'] !== 'gzip') return payload;
      reply.header('content-encoding', 'gzip').removeHeader('content-length');
      return gzipSync(payload);
    });
    return;
  }
  interface Response {
    end: (body?: unknown) => unknown;
    setHeader(name: string, value: string): void;
    removeHeader(name: string): void;
  }
  app.use((request: { headers: Record<string, string> }, response: Response, next: () => void) => {
    const { end } = response;
    if (request.headers['accept-encoding'] === 'gzip') {
      response.end = (body) => {
        response.setHeader('Content-Encoding', 'gzip');
        response.removeHeader('Content-Length');
        return end.call(response, gzipSync(body as Buffer));
      };
    }
    next();
  });
}

function useViews(app: INestApplication, adapter: Adapter): void {
  interface Fastify {
    decorateReply(
      name: string,
      fn: (this: AnyResponse & { type(type: string): void }, view: string, data: { call: number }) => unknown,
    ): void;
  }
  interface Express {
    engine(
      name: string,
      fn: (path: string, data: { call: number }, done: (error: unknown, html: string) => void) => void,
    ): void;
    set(name: string, value: unknown): void;
  }
  const instance: unknown = app.getHttpAdapter().getInstance();
  if (adapter === 'fastify') {
    (instance as Fastify).decorateReply('view', function (_view, { call }) {
      this.type('text/html; charset=utf-8');
      return this.send(`<p>${call}</p>`);
    });
    return;
  }
  const express = instance as Express;
  express.engine('html', (_path, { call }, done) => done(null, `<p>${call}</p>`));
  express.set('view engine', 'html');
  class View {
    path = 'page';
    render(data: { call: number }, done: (error: unknown, html: string) => void): void {
      done(null, `<p>${data.call}</p>`);
    }
  }
  express.set('view', View);
}
