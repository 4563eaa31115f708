import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Param, Req, type Provider, type Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { CacheService, HttpCache } from 'rednest';
import { passThroughCache } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

interface TestRequest {
  headers: Record<string, string | undefined>;
  params: { id: string };
}

/** What careless functions return, of types that TypeScript would have refused. */
const RETURNED: Readonly<Record<string, () => unknown>> = {
  object: () => ({ id: 1 }),
  nan: () => Number('x'),
  promise: () => Promise.reject(new Error('nobody waits for it')),
  empty: () => '',
  list: () => ['a'],
  undefined: () => undefined,
  null: () => null,
  text: () => 'ann',
  zero: () => 0,
  long: () => 'x'.repeat(600),
};

const returned = ({ headers }: TestRequest): string => RETURNED[headers['x-returned'] ?? '']?.() as string;

@Controller('parts')
class PartsController {
  constructor(private readonly calls: Calls) {}

  @Get('user')
  @HttpCache<TestRequest>({ scope: 'user', user: returned })
  user(): string {
    return `user ${this.calls.next()}`;
  }

  @Get('key/:id')
  @HttpCache<TestRequest>({
    key: (request) => (request.headers['x-returned'] ? returned(request) : request.params.id),
  })
  key(@Param('id') id: string): string {
    return `key ${id} ${this.calls.next()}`;
  }

  @Get('echo')
  @HttpCache()
  echo(@Req() { headers }: TestRequest): string {
    return JSON.stringify(headers);
  }
}

const start = (adapter: Adapter) => startHttp(opened, { adapter, controllers: [PartsController] });

describe.each(ADAPTERS)('whose response it is, on %s', (adapter) => {
  it.each([
    ['user', 'object', 'an object'],
    ['user', 'nan', 'NaN'],
    ['user', 'promise', 'a Promise'],
    ['user', 'empty', "''"],
    ['user', 'list', 'an array'],
    ['key', 'object', 'an object'],
    ['key', 'nan', 'NaN'],
    ['key', 'promise', 'a Promise'],
    ['key', 'empty', "''"],
    ['key', 'undefined', 'undefined'],
    ['key', 'null', 'null'],
  ])('refuses what %s returns if that is no text or number: %s', async (option, what, shown) => {
    const { get, calls, log } = await start(adapter);
    const answer = await get(option === 'key' ? '/parts/key/1' : '/parts/user', { 'X-Returned': what });
    expect(answer.status).toBe(500);
    expect(calls.of()).toBe(0);
    const [text] = log.texts('ExceptionsHandler');
    expect(text).toContain(
      `@HttpCache on PartsController.${option}: ${option} returned ${shown}, which is not`,
    );
  });

  it('knows nobody by undefined and null, and users by text and number', async () => {
    const { get } = await start(adapter);
    for (const nobody of ['undefined', 'null'])
      for (const _ of [1, 2])
        expect((await get('/parts/user', { 'X-Returned': nobody })).cache).toBe('BYPASS');
    for (const cache of ['MISS', 'HIT'])
      for (const user of ['text', 'zero'])
        expect((await get('/parts/user', { 'X-Returned': user })).cache).toBe(cache);
  });

  it('tells controllers of one name apart, also where the key is given', async () => {
    const [first, second, third] = ['one', 'two', 'three'].map((name) =>
      makeController(`same/${name}`, name),
    );
    const { get } = await startHttp(opened, {
      adapter,
      imports: [moduleOf(first!), moduleOf(second!), ...mounted(third!, 'mounted')],
    });
    for (const cache of ['MISS', 'HIT']) {
      expect(await get('/same/one/7')).toMatchObject({ cache, body: 'one' });
      expect(await get('/same/two/7')).toMatchObject({ cache, body: 'two' });
      expect(await get('/mounted/same/three/7')).toMatchObject({ cache, body: 'three' });
    }
  });

  it('does not take the hash of a long key for a key', async () => {
    const server = await opened.server({});
    const { get } = await startHttp(opened, {
      adapter,
      controllers: [PartsController],
      redis: server.options,
    });
    await get('/parts/key/1', { 'X-Returned': 'long' });
    const admin = await server.admin();
    const [stored] = await eventually(async () => {
      const keys = await admin.keys('app:cache:e:*');
      return keys.length === 1 && keys;
    });
    // Nobody can ask for it by a key of his own: two segments before it are empty.
    expect(stored).toMatch(/^app:cache:e:default:http:PartsController\.key:::[\w-]{32}$/);
  });

  it.each([
    'Forwarded',
    'X-Original-Host',
    'X-Forwarded-Ssl',
    'X-Forwarded-Path',
    'X-Http-Method',
    'X-Method-Override',
  ])('does not let who sends %s choose what others are answered', async (name) => {
    const { get } = await start(adapter);
    expect(await get('/parts/echo', { [name]: 'evil' })).toMatchObject({ cache: 'MISS' });
    const answer = await get('/parts/echo');
    expect(answer).toMatchObject({ cache: 'MISS' });
    expect(answer.body).not.toContain('evil');
  });

  it.each<[string, readonly Provider[]]>([
    ['passThroughCache', passThroughCache()],
    ['a bare object', [{ provide: CacheService, useValue: {} }]],
    [
      'a mock that answers nothing',
      [{ provide: CacheService, useValue: { getOrSetEntry: () => undefined } }],
    ],
  ])('runs the handler each time where the cache of a test stands in: %s', async (_name, standIns) => {
    const { get, send } = await startHttp(opened, { adapter, controllers: [PartsController], standIns });
    for (const call of [1, 2])
      expect(await get('/parts/key/1')).toMatchObject({ status: 200, body: `key 1 ${call}` });
    expect((await send('HEAD', '/parts/key/1')).status).toBe(200);
  });
});

describe('whose response it is', () => {
  it('tells controllers of one name and path apart by their hosts (Fastify refuses them)', async () => {
    const hosts = ['a.test', 'b.test'];
    const { get } = await startHttp(opened, {
      adapter: 'express',
      imports: hosts.map((host) => moduleOf(makeController({ path: 'hosted', host }, host))),
    });
    for (const cache of ['MISS', 'HIT'])
      for (const host of hosts)
        expect(await get('/hosted/7', { Host: host })).toMatchObject({ cache, body: host });
  });
});

function makeController(at: string | { path: string; host: string }, text: string): Type {
  @Controller(at as string)
  class SameController {
    @Get(':id')
    @HttpCache<TestRequest>({ key: ({ params }) => params.id })
    find(): string {
      return text;
    }
  }
  return SameController;
}

function moduleOf(controller: Type): Type {
  @Module({ controllers: [controller] })
  class ControllerModule {}
  return ControllerModule;
}

function mounted(controller: Type, path: string) {
  const module = moduleOf(controller);
  return [module, RouterModule.register([{ path, module }])];
}
