import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { City } from '../cities/city.dto.js';
import type { CityTags } from '../cities/tags/tags.dto.js';
import { tagKeys } from '../cities/tags/tags.keys.js';
import { RunningAtlas } from './atlas.fixture.js';
import { VADUZ, ZURICH } from './city-data.fixture.js';

const WINTERTHUR = 2657970;

describe('tags', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;

  beforeAll(async () => {
    server = await startRedis();
    atlas = await RunningAtlas.start({ redis: server.options });
  });

  afterEach(async () => {
    await Promise.all([ZURICH, VADUZ, WINTERTHUR].map((id) => tag(id, [])));
  });

  afterAll(async () => {
    await atlas?.close();
    await server?.stop();
  });

  const tag = (id: number, tags: string[]) => atlas.put<CityTags>(`/cities/${id}/tags`, { tags });
  const tagged = async (query: string) =>
    (await atlas.get<City[]>(`/cities/tagged?${query}`)).body.map(({ id }) => id);

  it('sets and gives the tags of a city, in lower case and each once', async () => {
    const { status, body } = await tag(ZURICH, ['Lake', 'old-town', ' lake ', 'Zürisee']);
    expect(status).toBe(200);
    expect(body).toEqual({ id: ZURICH, tags: ['lake', 'old-town', 'zürisee'] });
    expect((await atlas.get(`/cities/${ZURICH}/tags`)).body).toEqual(body);
  });

  it('has no tags for a city that never had any', async () => {
    expect((await atlas.get(`/cities/${VADUZ}/tags`)).body).toEqual({ id: VADUZ, tags: [] });
  });

  it('replaces tags, here and under each tag', async () => {
    await tag(ZURICH, ['lake', 'old-town']);
    await tag(ZURICH, ['lake', 'airport']);
    expect((await atlas.get(`/cities/${ZURICH}/tags`)).body).toEqual({
      id: ZURICH,
      tags: ['airport', 'lake'],
    });
    expect(await tagged('all=old-town')).toEqual([]);
    expect(await tagged('all=airport')).toEqual([ZURICH]);
  });

  it('leaves nothing behind when all tags are taken off', async () => {
    await tag(ZURICH, ['lake', 'old-town']);
    await tag(ZURICH, []);
    const admin = await server.admin();
    expect(
      await admin.exists(tagKeys.city(ZURICH), tagKeys.tag('lake'), tagKeys.tag('old-town'), tagKeys.result),
    ).toBe(0);
  });

  it('intersects, unites and differs', async () => {
    await tag(ZURICH, ['lake', 'old-town', 'airport']);
    await tag(WINTERTHUR, ['old-town', 'museum']);
    await tag(VADUZ, ['capital', 'museum']);

    expect(await tagged('all=lake,old-town')).toEqual([ZURICH]);
    expect(await tagged('any=lake,museum')).toEqual(
      [ZURICH, WINTERTHUR, VADUZ].toSorted((one, other) => one - other),
    );
    expect(await tagged('all=old-town&none=airport')).toEqual([WINTERTHUR]);
    expect(await tagged('any=lake,museum&none=capital,airport')).toEqual([WINTERTHUR]);
    expect(await tagged('all=museum&any=lake,capital')).toEqual([VADUZ]);
    expect(await tagged('all=museum&any=lake,old-town&none=lake')).toEqual([WINTERTHUR]);
    expect(await tagged('all=unknown')).toEqual([]);
    expect(await tagged('any=LAKE&limit=1')).toEqual([ZURICH]);
  });

  it('gives whole cities', async () => {
    await tag(ZURICH, ['lake']);
    const { status, body } = await atlas.get('/cities/tagged?all=lake');
    expect(status).toBe(200);
    expect(body).toEqual([
      expect.objectContaining({ id: ZURICH, name: 'Zürich', country: 'CH', population: 341_730 }),
    ]);
  });

  it('stays whole when many set the tags of one city at once', async () => {
    const sets = [['lake'], ['old-town', 'museum'], ['lake', 'airport'], ['capital']];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => tag(ZURICH, sets[index % sets.length]!)),
    );
    // 503 is an honest answer to one that lost against others each time; nothing was written then.
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);

    const { tags } = (await atlas.get<CityTags>(`/cities/${ZURICH}/tags`)).body;
    expect(sets.map((set) => set.toSorted())).toContainEqual(tags);
    for (const each of new Set(sets.flat())) {
      expect(await tagged(`all=${each}`)).toEqual(tags.includes(each) ? [ZURICH] : []);
    }
  });

  it('answers 404 for a city that does not exist', async () => {
    expect((await tag(1, ['lake'])).status).toBe(404);
    expect((await atlas.get('/cities/1/tags')).status).toBe(404);
  });

  it.each([
    [{}],
    [{ tags: 'lake' }],
    [{ tags: [1] }],
    [{ tags: [null] }],
    [{ tags: [''] }],
    [{ tags: ['a,b'] }],
    [{ tags: ['-lake'] }],
    [{ tags: ['x'.repeat(33)] }],
    [{ tags: Array.from({ length: 21 }, (_, index) => `tag${index}`) }],
    [{ tags: ['lake'], more: 1 }],
    [['lake']],
  ])('answers 400 to the tags %j', async (body) => {
    const answer = await atlas.put(`/cities/${ZURICH}/tags`, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ statusCode: 400 });
  });

  it.each([
    '',
    'none=lake',
    'all=',
    'all=lake,',
    'any=a*',
    'all=lake&limit=0',
    'all=lake&limit=101',
    'some=lake',
  ])('answers 400 to ?%s', async (query) => {
    expect((await atlas.get(`/cities/tagged?${query}`)).status).toBe(400);
  });
});
