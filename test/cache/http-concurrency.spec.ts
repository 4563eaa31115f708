import { once } from 'node:events';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  HttpException,
  InternalServerErrorException,
  NotFoundException,
  Param,
  Res,
  ServiceUnavailableException,
} from '@nestjs/common';
import { defer, delay, finalize, of, type Observable } from 'rxjs';
import { CacheService, HttpCache } from 'rednest';
import { FaultProxy, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import {
  ADAPTERS,
  Calls,
  startHttp,
  type Adapter,
  type Answer,
  type HttpApplication,
} from './fixtures/http-application.js';

const opened = new Opened();

/** Two processes of an application are asked by one name. */
const HOST = { Host: 'app.test' };

/** What the handlers do, as the test says. */
const behaviour = {
  time: 100,
  fails: undefined as Error | undefined,
  cookie: false,
  /** How many calls have to have begun before one of them is over. */
  together: 0,
  /** What the first call of a handler that hangs waits for. */
  gate: gate(),
};

@Controller('slow')
class SlowController {
  constructor(private readonly calls: Calls) {}

  @Get('one')
  @HttpCache()
  async one(
    @Res({ passthrough: true }) response: { header(name: string, value: string): void },
  ): Promise<object> {
    const call = this.calls.next();
    await sleep(behaviour.time);
    if (behaviour.together > 0) await this.#meet();
    if (behaviour.fails) throw behaviour.fails;
    if (behaviour.cookie) response.header('Set-Cookie', `session=${call}`);
    return { call };
  }

  @Get('hanging')
  @HttpCache()
  hanging(): Promise<object> {
    return this.#hang();
  }

  @Get('impatient')
  @HttpCache({ waitTimeout: '200ms' })
  impatient(): Promise<object> {
    return this.#hang();
  }

  @Get('aborted')
  @HttpCache()
  async aborted(
    @Res({ passthrough: true }) response: ServerResponse & { raw?: ServerResponse },
  ): Promise<object> {
    const call = this.calls.next();
    if (call > 1) return { call };
    await once(response.raw ?? response, 'close');
    throw new Error('the client has gone');
  }

  @Get('sent/:status')
  @HttpCache()
  async sent(
    @Param('status') status: string,
    @Res({ passthrough: true }) response: { status(status: number): void },
  ): Promise<object> {
    const call = this.calls.next();
    await sleep(behaviour.time);
    response.status(Number(status));
    return { call };
  }

  @Get('tagged')
  @HttpCache({ tags: () => [undefined as unknown as string] })
  tagged(): object {
    return { call: this.calls.next() };
  }

  @Get('observable')
  @HttpCache()
  observable(): Observable<object> {
    return defer(() =>
      of({ call: this.calls.next() }).pipe(
        delay(behaviour.time),
        finalize(() => this.calls.next('over')),
      ),
    );
  }

  @Get('stale')
  @HttpCache({ ttl: '1h', stale: '1m' })
  async stale(): Promise<object> {
    const call = this.calls.next();
    await sleep(behaviour.time);
    if (behaviour.fails) throw behaviour.fails;
    return { call };
  }

  async #meet(): Promise<void> {
    if (this.calls.next('met') === behaviour.together) behaviour.gate.resolve();
    await behaviour.gate.promise;
  }

  async #hang(): Promise<object> {
    const call = this.calls.next();
    if (call === 1) await behaviour.gate.promise;
    return { call };
  }
}

function start(adapter: Adapter, options: Partial<Parameters<typeof startHttp>[1]> = {}) {
  Object.assign(behaviour, { time: 100, fails: undefined, cookie: false, together: 0, gate: gate() });
  return startHttp(opened, { adapter, controllers: [SlowController], ...options });
}

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((open) => (resolve = open));
  return { promise, resolve };
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const bodies = (answers: readonly Answer[]): Set<string> => new Set(answers.map(({ body }) => body));

describe.each(ADAPTERS)('HTTP caching with many at a time on %s', (adapter) => {
  it('runs the handler once for all, also in two processes', async () => {
    const server = await opened.server({});
    const one = await start(adapter, { redis: server.options });
    const other = await start(adapter, { redis: server.options });
    behaviour.time = 300;
    const answers = await Promise.all(times(100, (i) => (i % 2 ? one : other).get('/slow/one', HOST)));
    expect(one.calls.of() + other.calls.of()).toBe(1);
    expect(bodies(answers).size).toBe(1);
    expect(answers.filter(({ cache }) => cache === 'MISS')).toHaveLength(1);
    expect(answers.filter(({ cache }) => cache === 'HIT')).toHaveLength(99);
  });

  it('gives nobody what is for another', async () => {
    const { get, calls } = await start(adapter);
    behaviour.cookie = true;
    const answers = await Promise.all(times(20, () => get('/slow/one')));
    expect(bodies(answers).size).toBe(20);
    expect(new Set(answers.map(({ headers }) => String(headers['set-cookie']))).size).toBe(20);
    expect(answers.every(({ cache }) => cache === 'BYPASS')).toBe(true);
    expect(calls.of()).toBe(20);

    // It is known now that waiting for each other is of no use: they run side by side, which all have begun before one is over.
    behaviour.together = 20;
    const together = await Promise.all(times(20, () => get('/slow/one')));
    expect(together.map(({ status }) => status)).toEqual(times(20, () => 200));
    expect(calls.of()).toBe(40);
  });

  it('runs the handler once for all who wait where it fails, and answers each by the filters', async () => {
    const { get, calls } = await start(adapter);
    for (const [error, status] of [
      [new ServiceUnavailableException(), 503],
      [new InternalServerErrorException(), 500],
      [new Error('broken'), 500],
    ] as const) {
      behaviour.fails = error;
      const before = calls.of();
      const answers = await Promise.all(times(20, () => get(`/slow/one?of=${before}`)));
      expect(answers.map((answer) => answer.status)).toEqual(times(20, () => status));
      expect(answers.every(({ body }) => body.includes(`"statusCode":${status}`))).toBe(true);
      // Who asked just while the first one began may have to begin another.
      const runs = calls.of() - before;
      expect(runs).toBeLessThanOrEqual(2);
      expect((await get(`/slow/one?of=${before}`)).status).toBe(status);
      expect(calls.of() - before).toBe(runs + 1);
    }
    behaviour.fails = undefined;
    await eventually(async () => (await get('/slow/one?of=0')).cache === 'HIT');
  });

  it.each(['sent/403', 'sent/500', 'one'])(
    'has each run its own handler where the answer is for one: %s',
    async (path) => {
      const { get, calls } = await start(adapter);
      const status = path === 'one' ? 410 : Number(path.slice(5));
      if (path === 'one') behaviour.fails = new HttpException('gone', status);
      const answers = await Promise.all(times(10, () => get(`/slow/${path}`)));
      expect(answers.map((answer) => answer.status)).toEqual(times(10, () => status));
      expect(calls.of()).toBe(10);
    },
  );

  it('does not wait for ever for a handler that hangs', async () => {
    const { get, calls } = await start(adapter);
    const hanging = get('/slow/impatient');
    await eventually(() => calls.of() === 1);
    const answers = await Promise.all(times(3, () => get('/slow/impatient')));
    expect(answers.map(({ status, cache }) => [status, cache])).toEqual(times(3, () => [200, 'BYPASS']));
    expect(calls.of()).toBe(4);
    behaviour.gate.resolve();
    expect(await hanging).toMatchObject({ cache: 'MISS', body: '{"call":1}' });
  });

  it('gives up a handler that hangs when its client has gone', async () => {
    const { get, port, calls } = await start(adapter);
    await leave(port, '/slow/hanging', () => calls.of() === 1);
    const answers = await Promise.all(times(5, () => get('/slow/hanging')));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(times(5, () => [200, '{"call":2}']));
    await eventually(async () => (await get('/slow/hanging')).cache === 'HIT');
    behaviour.gate.resolve();
    expect(await get('/slow/hanging')).toMatchObject({ cache: 'HIT', body: '{"call":2}' });
  });

  it('does not answer others with what failed since its client had gone', async () => {
    const { get, port, calls } = await start(adapter);
    let others: Promise<Answer[]> | undefined;
    await leave(port, '/slow/aborted', async () => {
      if (calls.of() === 0) return false;
      others = Promise.all(times(5, () => get('/slow/aborted')));
      await sleep(100); // they wait by now, or nearly
      return true;
    });
    const answers = await others!;
    expect(answers.map(({ status, body }) => [status, body])).toEqual(times(5, () => [200, '{"call":2}']));
  });

  it('says so where tags are wrong, and where the cache has failed', async () => {
    const { app, get, calls, log } = await start(adapter);
    expect((await get('/slow/tagged')).status).toBe(500);
    expect(log.texts('ExceptionsHandler')[0]).toContain(
      '@HttpCache on SlowController.tagged: tags: undefined is not a text',
    );
    expect(calls.of()).toBe(0);
    const cache = app.get(CacheService);
    cache.getOrSetEntry = () => Promise.reject(new Error('out of order'));
    behaviour.time = 0;
    for (const _ of [1, 2]) expect(await get('/slow/one')).toMatchObject({ status: 200, cache: 'BYPASS' });
    expect(log.texts('CacheModule')).toEqual([expect.stringContaining("Cache 'default' has failed")]);
  });

  it('needs nobody to wait for a client who has gone', async () => {
    const { get, port, calls } = await start(adapter);
    behaviour.time = 300;
    await leave(port, '/slow/one', () => calls.of() === 1);
    const answers = await Promise.all(times(5, () => get('/slow/one')));
    expect(answers.map(({ status }) => status)).toEqual(times(5, () => 200));
    expect(bodies(answers).size).toBe(1);
    // Express does not write headers for nobody, and what they forbid cannot be known: another handler runs.
    expect(calls.of()).toBe(adapter === 'express' ? 2 : 1);
  });

  it('has another go on where Nest ends the handler with its client', async () => {
    const { get, port, calls } = await start(adapter);
    behaviour.time = 400;
    const left = leave(port, '/slow/observable', () => calls.of() === 1);
    await sleep(20);
    const answers = await Promise.all(times(5, () => get('/slow/observable')));
    await left;
    expect(answers.map(({ status }) => status)).toEqual(times(5, () => 200));
    expect(bodies(answers).size).toBe(1);
    expect(calls.of()).toBeLessThanOrEqual(2);
  });

  it('sends a stale response to all but the one who refreshes it', async () => {
    const server = await opened.server({});
    const application = await start(adapter, { redis: server.options });
    const { get, calls } = application;
    await get('/slow/stale');
    await expire(server, application);
    behaviour.time = 500;
    const refreshing = get('/slow/stale');
    await eventually(() => calls.of() === 2);
    const began = performance.now();
    const others = await Promise.all(times(20, () => get('/slow/stale')));
    expect(performance.now() - began).toBeLessThan(behaviour.time);
    expect(others.every(({ cache, body }) => cache === 'STALE' && body === '{"call":1}')).toBe(true);
    expect(others[0]?.headers).toMatchObject({ 'cache-control': 'max-age=0', age: expect.any(String) });
    expect(await refreshing).toMatchObject({ cache: 'MISS', body: '{"call":2}' });
    expect(await get('/slow/stale')).toMatchObject({ cache: 'HIT', body: '{"call":2}' });
    expect(calls.of()).toBe(2);
  });

  it('sends a stale response in another process too', async () => {
    const server = await opened.server({});
    const one = await start(adapter, { redis: server.options });
    const other = await start(adapter, { redis: server.options });
    await one.get('/slow/stale', HOST);
    await eventually(
      async () => (await other.get('/slow/stale', HOST)).cache === 'HIT' || other.calls.of() > 0,
    );
    expect(other.calls.of()).toBe(0);
    await expire(server, one);
    behaviour.time = 500;
    const refreshing = one.get('/slow/stale', HOST);
    await eventually(() => one.calls.of() === 2);
    for (const _ of [1, 2, 3])
      expect(await other.get('/slow/stale', HOST)).toMatchObject({ cache: 'STALE', body: '{"call":1}' });
    await refreshing;
    await eventually(async () => (await other.get('/slow/stale', HOST)).cache === 'HIT');
    expect(other.calls.of()).toBe(0);
  });

  it('sends a stale response where the server fails, and the answer where it has one', async () => {
    const server = await opened.server({});
    const application = await start(adapter, { redis: server.options });
    const { get } = application;
    await get('/slow/stale');
    await expire(server, application);
    behaviour.fails = new Error('database away');
    for (const _ of [1, 2])
      expect(await get('/slow/stale')).toMatchObject({ status: 200, cache: 'STALE', body: '{"call":1}' });
    await sleep(1_100); // the option refreshRetry
    behaviour.fails = new NotFoundException();
    expect(await get('/slow/stale')).toMatchObject({ status: 404 });
    expect(await get('/slow/stale')).toMatchObject({ status: 404 });
    behaviour.fails = undefined;
    expect(await get('/slow/stale')).toMatchObject({ status: 200, cache: 'MISS' });
  });

  it('answers all requests while Redis hangs, dies and comes back', async () => {
    const server = await opened.server({});
    const proxy = opened.add(await FaultProxy.start(server.options));
    const { get, log } = await start(adapter, {
      redis: { ...proxy.optionsFor(server.options) },
      cache: { budget: '50ms' },
    });
    behaviour.time = 1;
    const traffic = async (): Promise<Answer[]> => Promise.all(times(20, (i) => get(`/slow/one?a=${i % 4}`)));
    await traffic();
    proxy.swallow('both');
    for (let round = 0; round < 5; round++)
      for (const answer of await traffic()) expect(answer.status).toBe(200);
    await proxy.restore();
    await server.kill();
    for (const answer of await traffic()) expect(answer.status).toBe(200);
    await server.restart();
    await eventually(async () => (await traffic()).every(({ cache }) => cache === 'HIT'));
    expect(log.texts('ExceptionsHandler')).toEqual([]);
  });
});

/** Makes the one response that is stored stale. */
async function expire(server: RedisServer, { app }: HttpApplication): Promise<void> {
  const admin = await server.admin();
  const prefix = 'app:cache:e:default:';
  const keys = await eventually(async () => {
    const stored = await admin.keys(`${prefix}*`);
    return stored.length === 1 && stored;
  });
  await app.get(CacheService).expire(keys.map((key) => key.slice(prefix.length)));
}

/** Asks, and hangs up before the answer, when the handler runs. */
async function leave(port: number, path: string, isRunning: () => boolean | Promise<boolean>): Promise<void> {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent: false });
  request.on('error', () => undefined);
  request.end();
  await eventually(isRunning);
  const closed = new Promise((resolve) => request.once('close', resolve));
  request.destroy();
  await closed;
}
