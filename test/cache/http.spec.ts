import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Head, Header, Param, Post, Query } from '@nestjs/common';
import { CacheService, HttpCache } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

@Controller('cities')
class CitiesController {
  constructor(private readonly calls: Calls) {}

  @Get('old')
  @Header('X-Kind', 'city')
  @Header('Last-Modified', 'Tue, 01 Jul 2025 10:00:00 GMT')
  @HttpCache()
  old(): object {
    return { call: this.calls.next() };
  }

  @Get('short')
  @HttpCache({ ttl: '300ms' })
  short(): object {
    return { call: this.calls.next() };
  }

  @Get('revalidated')
  @HttpCache({ cacheControl: 'revalidate' })
  revalidated(): object {
    return { call: this.calls.next() };
  }

  @Get('silent')
  @HttpCache({ cacheControl: false })
  silent(): object {
    return { call: this.calls.next() };
  }

  @Get('tagged-by-itself')
  @Header('ETag', 'W/"7"')
  @Header('Cache-Control', 'public, max-age=5')
  @HttpCache()
  tagged(): object {
    return { call: this.calls.next() };
  }

  @Get('plain')
  plain(): object {
    return { call: this.calls.next() };
  }

  @Get('refreshed')
  @HttpCache<{ headers: Record<string, unknown> }>({
    refresh: (request) => request.headers['x-refresh'] === 'yes',
  })
  refreshed(): object {
    return { call: this.calls.next() };
  }

  @Head('head-only')
  @HttpCache()
  head(): object {
    return { call: this.calls.next() };
  }

  @Get(':id')
  @HttpCache({ ttl: '1m', stale: '10m', tags: (request) => [`city:${request.params['id']}`] })
  findOne(@Param('id') id: string, @Query() query: Record<string, string>): object {
    return { id, query, call: this.calls.next(), name: 'Zürich' };
  }

  @Post(':id')
  @HttpCache()
  update(@Param('id') id: string): object {
    return { id, call: this.calls.next() };
  }
}

const start = (adapter: Adapter) => startHttp(opened, { adapter, controllers: [CitiesController] });

describe.each(ADAPTERS)('HTTP caching on %s', (adapter) => {
  it('runs the handler once, and sends the same bytes again', async () => {
    const { get, calls } = await start(adapter);
    const miss = await get('/cities/1?a=1');
    expect(miss).toMatchObject({
      status: 200,
      cache: 'MISS',
      body: '{"id":"1","query":{"a":"1"},"call":1,"name":"Zürich"}',
    });
    const hit = await get('/cities/1?a=1');
    expect(hit.cache).toBe('HIT');
    expect(hit.bytes).toEqual(miss.bytes);
    expect(calls.of()).toBe(1);
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control', 'vary'])
      expect([name, hit.headers[name]]).toEqual([name, miss.headers[name]]);
    expect(hit.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('tells how long a response may be used, and how old it is', async () => {
    const { get } = await start(adapter);
    const miss = await get('/cities/1');
    expect(miss.headers['cache-control']).toBe('max-age=60, stale-while-revalidate=600');
    expect(miss.headers.age).toBeUndefined();
    await sleep(1_100);
    const hit = await get('/cities/1');
    expect(hit.headers.age).toBe('1');
    expect(hit.headers['cache-control']).toBe('max-age=60, stale-while-revalidate=600');
    expect((await get('/cities/revalidated')).headers['cache-control']).toBe('no-cache');
    expect((await get('/cities/silent')).headers['cache-control']).toBeUndefined();
    expect((await get('/cities/silent')).cache).toBe('HIT');
  });

  it('makes the response anew when it has expired, or was invalidated', async () => {
    const { get, app } = await start(adapter);
    expect((await get('/cities/short')).cache).toBe('MISS');
    await sleep(400);
    expect(await get('/cities/short')).toMatchObject({ cache: 'MISS', body: '{"call":2}' });

    await get('/cities/1');
    await app.get(CacheService).invalidateTags('city:1');
    expect(await get('/cities/1')).toMatchObject({
      cache: 'MISS',
      body: expect.stringContaining('"call":4'),
    });
  });

  it('answers 304 to those who have it: on a hit, on a miss, to HEAD', async () => {
    const { get, send, calls } = await start(adapter);
    const { headers } = await get('/cities/1');
    const etag = String(headers.etag);
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/);
    for (const known of [etag, etag.slice(2), `"x", ${etag} ,"y"`, '*']) {
      const answer = await get('/cities/1', { 'If-None-Match': known });
      expect(answer).toMatchObject({ status: 304, body: '', cache: 'HIT' });
      expect(answer.headers).toMatchObject({
        etag,
        age: '0',
        vary: headers.vary,
        'cache-control': headers['cache-control'],
      });
      expect(answer.headers['content-length']).toBeUndefined();
      expect(answer.headers['content-type']).toBeUndefined();
    }
    expect((await get('/cities/1', { 'If-None-Match': '"other"' })).status).toBe(200);
    expect(await send('HEAD', '/cities/1', { 'If-None-Match': etag })).toMatchObject({
      status: 304,
      cache: 'HIT',
    });
    expect(calls.of()).toBe(1);
    expect(await get('/cities/2', { 'If-None-Match': '*' })).toMatchObject({
      status: 304,
      body: '',
      cache: 'MISS',
    });
    const full = await get('/cities/2');
    expect(full).toMatchObject({ status: 200, cache: 'HIT' });
    expect(full.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('compares times where there is no If-None-Match', async () => {
    const { get } = await start(adapter);
    await get('/cities/old');
    const since = (time: string) => get('/cities/old', { 'If-Modified-Since': time });
    expect((await since('Tue, 01 Jul 2025 10:00:00 GMT')).status).toBe(304);
    expect((await since('Tue, 01 Jul 2025 09:59:59 GMT')).status).toBe(200);
    expect((await since('nonsense')).status).toBe(200);
  });

  it('keeps the headers that the handler sets, its ETag and its Cache-Control', async () => {
    const { get } = await start(adapter);
    for (const cache of ['MISS', 'HIT']) {
      expect(await get('/cities/old')).toMatchObject({ cache, headers: { 'x-kind': 'city' } });
      const tagged = await get('/cities/tagged-by-itself');
      expect(tagged).toMatchObject({
        cache,
        headers: { etag: 'W/"7"', 'cache-control': 'public, max-age=5' },
      });
    }
    expect((await get('/cities/tagged-by-itself', { 'If-None-Match': '"7"' })).status).toBe(304);
  });

  it('answers HEAD from what GET has stored, and stores nothing for it', async () => {
    const { get, send } = await start(adapter);
    expect(await send('HEAD', '/cities/1')).toMatchObject({ status: 200, cache: 'MISS', body: '' });
    const miss = await get('/cities/1');
    expect(miss.cache).toBe('MISS');
    const head = await eventually(async () => {
      const answer = await send('HEAD', '/cities/1');
      return answer.cache === 'HIT' && answer;
    });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers).toMatchObject({
      etag: miss.headers.etag,
      'content-length': miss.headers['content-length'],
      'content-type': miss.headers['content-type'],
    });
    expect(miss.body).toContain('"call":2');
  });

  it('leaves alone other methods, and handlers that are not marked', async () => {
    const { get, send } = await start(adapter);
    for (const call of [1, 2]) {
      const answer = await send('POST', '/cities/1');
      expect(answer).toMatchObject({ status: 201, body: `{"id":"1","call":${call}}`, cache: undefined });
    }
    for (const call of [3, 4])
      expect(await get('/cities/plain')).toMatchObject({ body: `{"call":${call}}`, cache: undefined });
  });

  it('does not let clients decide, save where the handler says so', async () => {
    const { get } = await start(adapter);
    await get('/cities/1');
    for (const wish of ['no-cache', 'no-store', 'max-age=0'])
      expect((await get('/cities/1', { 'Cache-Control': wish, Pragma: 'no-cache' })).cache).toBe('HIT');

    await get('/cities/refreshed');
    expect(await get('/cities/refreshed', { 'X-Refresh': 'yes' })).toMatchObject({
      cache: 'MISS',
      body: '{"call":3}',
    });
    await eventually(async () => (await get('/cities/refreshed')).body === '{"call":3}');
  });
});
