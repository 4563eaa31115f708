import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { cityKeys } from '../cities/cities.keys.js';
import type { ServerOverview } from '../server/server.dto.js';
import { RunningAtlas } from './atlas.fixture.js';
import { fewCities, ZURICH } from './city-data.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';
import { until } from './until.fixture.js';

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
}

describe('Atlas over HTTP', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;
  let logger: RecordingLogger;

  beforeEach(async () => {
    server = await startRedis({ password: 'kept-secret' });
    logger = new RecordingLogger();
    atlas = await RunningAtlas.start({ redis: server.options, logger });
  });

  afterEach(async () => {
    await atlas?.close();
    await server?.stop();
  });

  it('says what there is', async () => {
    expect((await atlas.get('/')).body).toEqual({ cities: fewCities().length, docs: '/docs' });
  });

  it('has a page about its API', async () => {
    const page = await fetch(`${atlas.url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch('text/html');
    expect(await page.text()).toMatch('Atlas');
  });

  it('tells operators how Redis is doing', async () => {
    const { status, body } = await atlas.get<ServerOverview>('/server');
    expect(status).toBe(200);
    expect(body).toEqual({
      memory: {
        used: expect.any(Number),
        peak: expect.any(Number),
        limit: null,
        warnings: [expect.any(String)],
      },
      keys: await (await server.admin()).dbsize(),
      commands: expect.arrayContaining([
        { command: 'geoadd', calls: expect.any(Number), time: expect.any(Number) },
      ]),
    });
  });

  it('describes every route, and what it may answer', async () => {
    const { paths } = (await atlas.get<OpenApi>('/docs-json')).body;
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.toSorted()).toEqual([
      'DELETE /payments/profiles/{id}',
      'DELETE /session',
      'DELETE /tours/{id}/bookings/{guest}',
      'GET /',
      'GET /accounts/{id}',
      'GET /cities',
      'GET /cities/live',
      'GET /cities/near',
      'GET /cities/tagged',
      'GET /cities/top',
      'GET /cities/top/today',
      'GET /cities/{id}',
      'GET /cities/{id}/tags',
      'GET /cities/{id}/visits',
      'GET /health/live',
      'GET /health/ready',
      'GET /health/startup',
      'GET /imports/{id}',
      'GET /metrics',
      'GET /payments/profiles/{id}',
      'GET /server',
      'GET /session',
      'GET /tours',
      'GET /tours/{id}',
      'GET /work/{id}',
      'PATCH /cities/{id}',
      'POST /accounts/transfer',
      'POST /cities/{id}/visits',
      'POST /imports',
      'POST /members',
      'POST /payments/profiles',
      'POST /payments/profiles/search',
      'POST /tours/nightly',
      'POST /tours/{id}/bookings',
      'POST /work',
      'PUT /accounts/{id}',
      'PUT /cities/{id}/tags',
      'PUT /payments/profiles/{id}',
      'PUT /session',
    ]);
    expect(Object.keys(paths['/accounts/transfer']!['post']!.responses)).toEqual([
      '200',
      '400',
      '404',
      '409',
      '503',
    ]);
    expect(Object.keys(paths['/tours/{id}/bookings']!['post']!.responses)).toEqual([
      '201',
      '400',
      '404',
      '409',
      '423',
      '503',
    ]);
    expect(paths['/cities/near']!['get']).toMatchObject({
      parameters: ['lat', 'lng', 'km', 'limit'].map((name) =>
        expect.objectContaining({ name, in: 'query', schema: expect.objectContaining({ type: 'number' }) }),
      ),
    });
  });

  it.each([
    ['GET', '/nowhere', undefined, 404],
    ['DELETE', `/cities/${ZURICH}`, undefined, 404],
    ['POST', '/work', '{"cityId":', 400],
    ['POST', '/work', '[]', 400],
    ['PUT', '/accounts/a', `{"balance":1,"note":"${'x'.repeat(200_000)}"}`, 413],
  ])('answers in JSON to %s %s', async (method, path, body, status) => {
    const response = await fetch(atlas.url + path, {
      method,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ statusCode: status, message: expect.anything() });
  });

  it('answers 503 while Redis is away, says when to come back and nothing about the server', async () => {
    await server.kill();
    const answers = await Promise.all([
      atlas.get(`/cities/${ZURICH}`),
      atlas.get('/cities?q=z'),
      atlas.get('/cities/near?lat=47&lng=8&km=10'),
      atlas.get('/cities/top'),
      atlas.get('/cities/top/today'),
      atlas.get('/cities/tagged?all=lake'),
      atlas.post(`/cities/${ZURICH}/visits`),
      atlas.put('/accounts/a', { balance: 1 }),
      atlas.post('/accounts/transfer?via=watch', { from: 'a', to: 'b', amount: 1 }),
      atlas.post('/accounts/transfer?via=script', { from: 'a', to: 'b', amount: 1 }),
      atlas.post('/work', { cityId: ZURICH }),
      atlas.get('/tours'),
      atlas.get('/server'),
      atlas.post('/tours/zurich-old-town/bookings', { guest: 'Alice', places: 1 }),
      atlas.post('/tours/nightly'),
      atlas.post('/imports'),
      atlas.post('/members', { name: 'alice', password: 'correct horse battery' }),
      atlas.put('/session', { name: 'alice', password: 'correct horse battery' }),
      atlas.post('/payments/profiles/search', { cardNumber: '4111111111111111' }),
    ]);
    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(body).toEqual({
        statusCode: 503,
        error: 'Service Unavailable',
        message: expect.stringMatching(/^[A-Z][a-z ,]+try again (?:soon|in 1 s)$/),
      });
    }
    expect((await atlas.get('/')).body).toEqual({ cities: null, docs: '/docs' });
  });

  it('answers again when Redis is back', async () => {
    const admin = await server.admin();
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    await until(async () => (await atlas.get(`/cities/${ZURICH}`)).status === 200);
  });

  it('answers 500 without details to what is its own fault, and logs the cause', async () => {
    const admin = await server.admin();
    await admin.del(cityKeys.city(ZURICH));
    await admin.lpush(cityKeys.city(ZURICH), 'not a string');
    const { status, body } = await atlas.get(`/cities/${ZURICH}`);
    expect(status).toBe(500);
    expect(body).toEqual({ statusCode: 500, message: 'Internal server error' });
    expect(logger.with('WRONGTYPE')).toHaveLength(1);
    expect(logger.with('kept-secret')).toEqual([]);
  });
});
