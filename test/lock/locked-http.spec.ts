import 'reflect-metadata';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  Get,
  Header,
  HttpCode,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter, ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import { Locked, LockExceptionFilter, LockLostError, LockService, LockTimeoutError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, startLocked, type Adapter, type LockedOptions } from './fixtures/locked-application.js';

const opened = new Opened();

const RESOURCE = 'guest:4711';

class Denying {
  canActivate(): boolean {
    return false;
  }
}

/** Answers with its name, and with the status of the error. */
abstract class Answering implements ExceptionFilter {
  @Inject(HttpAdapterHost) readonly host!: HttpAdapterHost;

  catch(error: { statusCode?: number }, host: ArgumentsHost): void {
    const body = { filter: this.constructor.name };
    this.host.httpAdapter.reply(host.getArgByIndex(1), body, error.statusCode ?? 500);
  }
}

@Catch()
class CatchAll extends Answering {}

/** As an application has it that reports what goes wrong, and leaves the answer to Nest. */
@Catch()
class Reporting extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    super.catch(error, host);
  }
}

@Catch(LockTimeoutError)
class OwnTimeout extends Answering {}

@Injectable()
@Controller()
class Tours {
  constructor(private readonly locks: LockService) {}

  @Get('book')
  @Locked({ key: RESOURCE })
  async book(): Promise<object> {
    return { booked: this.locks.current().fence > 0 };
  }

  @Locked({ key: RESOURCE, status: 409 })
  @Get('conflict')
  @HttpCode(203)
  @Header('X-Tour', 'yes')
  async conflict(): Promise<object> {
    return { booked: true };
  }

  @Get('filtered')
  @UseFilters(OwnTimeout)
  @Locked({ key: RESOURCE })
  async filtered(): Promise<object> {
    return {};
  }

  @Get('waits')
  @Locked({ key: RESOURCE, wait: '20s' })
  async waits(): Promise<object> {
    return {};
  }

  @Get('skips')
  @Locked({ key: RESOURCE, onContention: 'skip' })
  async skips(): Promise<object | undefined> {
    return { booked: true };
  }

  @Get('forbidden')
  @UseGuards(Denying)
  @Locked({ key: RESOURCE })
  async forbidden(): Promise<object> {
    return {};
  }

  @Get('own-error')
  @Locked({ key: 'free' })
  async ownError(): Promise<object> {
    throw new ConflictException('sold out');
  }

  @Get('lost')
  @Locked({ key: 'free' })
  async lost(): Promise<object> {
    throw new LockLostError('free', 1, 'expired');
  }

  @Get('begun')
  async begun(@Res() response: BegunResponse): Promise<void> {
    response.hijack?.();
    (response.raw ?? response).write('begun');
    await this.locks.acquire(RESOURCE);
  }
}

/** Of Express, or of Fastify: with `raw`, and to be told that what is written there is not its business. */
interface BegunResponse {
  write(text: string): void;
  readonly raw?: { write(text: string): void };
  hijack?(): void;
}

async function start(adapter: Adapter, options: Partial<LockedOptions> = {}) {
  const server = await opened.server({});
  const { providers = [], ...rest } = options;
  const started = await startLocked(opened, {
    ...rest,
    adapter,
    redis: server.options,
    controllers: [Tours],
    providers: [OwnTimeout, CatchAll, ...providers],
  });
  return { ...started, server };
}

describe.each(ADAPTERS)('a locked controller on %s', (adapter) => {
  it('is a route, and keeps what else stands on the method', async () => {
    const { get } = await start(adapter);
    expect(await get('/book')).toMatchObject({ status: 200, body: { booked: true } });
    const conflict = await get('/conflict');
    expect([conflict.status, conflict.headers.get('x-tour')]).toEqual([203, 'yes']);
    expect(await get('/forbidden')).toMatchObject({ status: 403 });
  });

  it('answers 423 while others hold the lock, and when to come again', async () => {
    const { get, locks } = await start(adapter, { lock: { ttl: '8s' } });
    await using _ = await locks.acquire(RESOURCE);
    const { status, headers, body, text } = await get('/book');
    const retryAfter = Number(headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(8);
    expect(status).toBe(423);
    expect(body).toEqual({
      statusCode: 423,
      message: `Locked by another request, try again in ${retryAfter} s`,
      error: 'Locked',
    });
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(text).not.toContain('4711');
  });

  it('answers 409 where the decorator says so', async () => {
    const { get, locks } = await start(adapter);
    await using _ = await locks.acquire(RESOURCE);
    const { status, body } = await get('/conflict');
    expect(status).toBe(409);
    expect(body).toMatchObject({ statusCode: 409, error: 'Conflict' });
  });

  it('succeeds with nothing where the call is skipped', async () => {
    const { get, locks } = await start(adapter);
    expect((await get('/skips')).text).toBe('{"booked":true}');
    await using _ = await locks.acquire(RESOURCE);
    expect(await get('/skips')).toMatchObject({ status: 200, text: '' });
  });

  it('answers 503 while Redis is away, and says why in the log only', async () => {
    const { get, server, log } = await start(adapter, { lock: { timeout: '300ms' } });
    await server.kill();
    const { status, headers, body, text } = await get('/book');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body).toEqual({
      statusCode: 503,
      message: 'The lock could not be acquired, try again in 1 s',
      error: 'Service Unavailable',
    });
    expect(text).not.toContain('4711');
    // The connection says once that Redis is away.
    expect(log.texts('LockModule')).toEqual([]);
    const details = log.lines.filter(({ context, level }) => context === 'LockModule' && level === 'debug');
    expect(details.map((line) => line.text)).toEqual([expect.stringContaining(RESOURCE)]);
  });

  it('answers 503 to who waits when the application shuts down', async () => {
    const { get, locks, app } = await start(adapter);
    const lease = await locks.acquire(RESOURCE);
    const waiting = get('/waits');
    await eventually(() => locks.stats().waiting === 1);
    const closing = app.close();
    const { status, headers } = await waiting;
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    await closing;
    await lease.release();
  });

  it('leaves other errors alone, and that a lease was lost', async () => {
    const { get } = await start(adapter);
    expect(await get('/own-error')).toMatchObject({ status: 409, body: { message: 'sold out' } });
    expect(await get('/lost')).toMatchObject({ status: 500, body: { message: 'Internal server error' } });
  });

  it('ends a response that has begun', async () => {
    const { get, locks } = await start(adapter);
    await using _ = await locks.acquire(RESOURCE);
    expect(await get('/begun')).toMatchObject({ status: 200, text: 'begun' });
  });
});

describe.each(ADAPTERS)('filters of the application on %s', (adapter) => {
  @Module({ providers: [{ provide: APP_FILTER, useClass: CatchAll }] })
  class Errors {}

  const contended = async (options: Partial<LockedOptions>, path = '/book') => {
    const { get, locks } = await start(adapter, options);
    await using _ = await locks.acquire(RESOURCE);
    const [refused, failed] = [await get(path), await get('/lost')];
    return { status: refused.status, body: refused.body, failed: failed.body };
  };

  it('come first where they stand on the handler', async () => {
    expect(await contended({}, '/filtered')).toMatchObject({ status: 423, body: { filter: 'OwnTimeout' } });
  });

  it('come first with useGlobalFilters', async () => {
    const configure: LockedOptions['configure'] = (app) => app.useGlobalFilters(app.get(CatchAll));
    const expected = { status: 423, body: { filter: 'CatchAll' }, failed: { filter: 'CatchAll' } };
    expect(await contended({ configure })).toEqual(expected);
  });

  it('come first in a module that is imported after LockModule', async () => {
    const expected = { status: 423, body: { filter: 'CatchAll' }, failed: { filter: 'CatchAll' } };
    expect(await contended({ imports: [Errors] })).toEqual(expected);
  });

  it("come after it among the providers of the application's own module", async () => {
    const providers = [{ provide: APP_FILTER, useClass: CatchAll }];
    expect(await contended({ providers })).toMatchObject({
      status: 423,
      body: { error: 'Locked' },
      failed: { filter: 'CatchAll' },
    });
  });

  it('are all there are with exceptionFilter: false', async () => {
    const providers = [{ provide: APP_FILTER, useClass: OwnTimeout }];
    const lock = { exceptionFilter: false };
    expect(await contended({ lock, providers })).toMatchObject({
      status: 423,
      body: { filter: 'OwnTimeout' },
    });
  });
});

describe.each(ADAPTERS)('errors that Nest itself answers on %s', (adapter) => {
  const ways: [string, Partial<LockedOptions>][] = [
    ['without a filter', {}],
    ['behind a filter that leaves the answer to Nest', { configure: reportAll }],
  ];

  it.each(ways)('have their status, and tell nothing, %s', async (_, options) => {
    const lock = { exceptionFilter: Boolean(options.configure), timeout: '300ms' } as const;
    const { get, locks, server } = await start(adapter, { lock, ...options });
    const answerOf = async (path: string) => {
      const { status, body } = await get(path);
      return { status, body };
    };
    const lease = await locks.acquire(RESOURCE);
    expect(await answerOf('/book')).toEqual({ status: 423, body: { statusCode: 423, message: 'Locked' } });
    expect(await answerOf('/conflict')).toEqual({
      status: 409,
      body: { statusCode: 409, message: 'Conflict' },
    });
    await lease.release();
    await server.kill();
    expect(await answerOf('/book')).toEqual({
      status: 503,
      body: { statusCode: 503, message: 'Service Unavailable' },
    });
  });

  function reportAll(app: INestApplication): void {
    app.useGlobalFilters(new Reporting(app.getHttpAdapter()));
  }
});

type Handlers = Record<'book', (this: void) => Promise<unknown>>;

describe('outside of HTTP', () => {
  afterEach(() => void jest.restoreAllMocks());

  it.each(['graphql', 'rpc'])('an error of a context like %s is passed on', async (type) => {
    const answer = jest.spyOn(LockExceptionFilter.prototype, 'catch');
    const { app, locks } = await start('express');
    await using _ = await locks.acquire(RESOURCE);
    const tours = app.get(Tours);
    const handler = app
      .get(ExternalContextCreator)
      .create(
        tours,
        (tours as unknown as Handlers).book,
        'book',
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
        type,
      );
    await expect(handler()).rejects.toThrow(LockTimeoutError);
    expect(answer.mock.results).toEqual([{ type: 'return', value: undefined }]);
  });
});
