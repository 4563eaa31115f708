import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheConfigurationError,
  CacheEvict,
  CacheModule,
  CacheNotInjectedError,
  CachePut,
  CacheService,
  getCacheToken,
  RedisModule,
} from 'rednest';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

interface City {
  id: number;
  name: string;
}

/** Counts what it is asked for, and fails on request. */
@Injectable()
class Cities {
  readonly asked: unknown[] = [];
  failure: Error | undefined;
  found: unknown = undefined;

  @Cacheable({ key: (id: number) => `city:${id}`, ttl: '10m', tags: (id) => [`city:${id}`, 'cities'] })
  async findOne(id: number): Promise<City> {
    this.ask(id);
    return { id, name: `City ${this.asked.length}` };
  }

  @Cacheable({ key: (name) => `any:${name}` })
  async findAny(name: string): Promise<unknown> {
    this.ask(name);
    return this.found;
  }

  @Cacheable({ key: (id) => `some:${id}`, condition: (id) => id < 100 })
  async findSome(id: number): Promise<number> {
    this.ask(id);
    return this.asked.length;
  }

  @Cacheable({
    key: (id) => `adapted:${id}`,
    adapt: (value, id) => (id < 0 ? { skip: true } : { ttl: '1h', tags: [`of:${value}`] }),
  })
  async findAdapted(id: number): Promise<number> {
    this.ask(id);
    return id;
  }

  @Cacheable({ key: (name: string) => name.toUpperCase() })
  async findByName(name: string): Promise<string> {
    return name;
  }

  @Cacheable({ key: (id) => `page:${id}`, cache: 'pages', tags: ['cities'] })
  async findPage(id: number): Promise<string> {
    this.ask(id);
    return `page ${this.asked.length}`;
  }

  @Cacheable({ key: () => 'sync' })
  throwsAtOnce(): Promise<never> {
    throw new Error('at once');
  }

  @CachePut({
    key: (city) => `city:${city.id}`,
    tags: (city) => [`city:${city.id}`],
    condition: ({ id }) => id < 100,
  })
  async create(id: number, name: string): Promise<City> {
    this.ask(id);
    return { id, name };
  }

  @CacheEvict({ tags: (city: City) => [`city:${city.id}`] })
  async update(city: City): Promise<City> {
    this.ask(city);
    return city;
  }

  @CacheEvict({ key: (...ids) => ids.map((id) => `city:${id}`) })
  async remove(...ids: number[]): Promise<void> {
    this.ask(ids);
  }

  @CacheEvict({ key: (id) => `city:${id}`, when: 'before', condition: (id) => id < 100 })
  async removeFirst(id: number): Promise<void> {
    this.ask(id);
  }

  @CacheEvict({ key: (city: City) => city.name, tags: (city) => [city.name] })
  async rename(city: City): Promise<void> {
    this.ask(city);
  }

  @CacheEvict({ all: true })
  async reset(): Promise<void> {}

  @CacheEvict({ all: true, cache: 'pages' })
  async resetPages(): Promise<void> {}

  private ask(what: unknown): void {
    this.asked.push(what);
    if (this.failure) throw this.failure;
  }
}

const opened = new Opened();

async function start() {
  const server = await opened.server({});
  const { app } = await startApplication(
    [
      RedisModule.forRoot(server.options),
      CacheModule.forRoot({ namespace: 'app' }),
      CacheModule.forFeature({ name: 'pages' }),
    ],
    [Cities],
  );
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  const cities = app.get(Cities);
  return { cities, cache: app.get(CacheService), pages: app.get<CacheService>(getCacheToken('pages')) };
}

describe('@Cacheable', () => {
  it('runs the method once for a key', async () => {
    const { cities, cache } = await start();
    const first = await cities.findOne(1);
    expect(await cities.findOne(1)).toEqual(first);
    expect(await cities.findOne(2)).not.toEqual(first);
    expect(cities.asked).toEqual([1, 2]);
    expect(await cache.get('city:1')).toEqual(first);
    expect(await cache.inspect('city:1')).toMatchObject({ state: 'fresh', tags: ['city:1', 'cities'] });
  });

  it('runs it once for callers at the same time', async () => {
    const { cities } = await start();
    const found = await Promise.all(Array.from({ length: 100 }, () => cities.findOne(1)));
    expect(new Set(found.map(({ name }) => name))).toEqual(new Set(['City 1']));
    expect(cities.asked).toEqual([1]);
  });

  it.each([[null], [undefined], [0], [''], [new Map([['a', new Date(0)]])]])('keeps %p', async (value) => {
    const { cities } = await start();
    cities.found = value;
    expect(await cities.findAny('a')).toEqual(value);
    cities.found = 'another';
    expect(await cities.findAny('a')).toEqual(value);
    expect(cities.asked).toEqual(['a']);
  });

  it('looks nothing up and stores nothing where its condition is false', async () => {
    const { cities, cache } = await start();
    expect([await cities.findSome(100), await cities.findSome(100)]).toEqual([1, 2]);
    expect(await cache.get('some:100')).toBeUndefined();
    expect([await cities.findSome(1), await cities.findSome(1)]).toEqual([3, 3]);
  });

  it('adapts to the value', async () => {
    const { cities, cache } = await start();
    await cities.findAdapted(1);
    const { freshFor, tags } = await cache.inspect('adapted:1');
    expect(freshFor).toBeGreaterThan(3_500_000);
    expect(tags).toEqual(['of:1']);
    await cities.findAdapted(-1);
    await cities.findAdapted(-1);
    expect(cities.asked).toEqual([1, -1, -1]);
  });

  it('passes on what the method throws, and stores nothing', async () => {
    const { cities } = await start();
    cities.failure = new Error('no database');
    await expect(cities.findOne(1)).rejects.toBe(cities.failure);
    cities.failure = undefined;
    expect(await cities.findOne(1)).toMatchObject({ id: 1 });
    await expect(cities.throwsAtOnce()).rejects.toThrow('at once');
  });

  it('tells the caller of a key function that throws, or gives no text', async () => {
    const { cities } = await start();
    const call = cities.findByName.bind(cities) as (name: unknown) => Promise<string>;
    await expect(call(undefined)).rejects.toThrow(TypeError);
    await expect(call({ toUpperCase: () => undefined })).rejects.toThrow(
      '@Cacheable on Cities.findByName: key returned undefined, which is not a text with at least one letter',
    );
  });

  it('evicts nothing, and does not run the method, where what to evict is not known', async () => {
    const { cities } = await start();
    await expect(cities.rename({ id: 1 } as City)).rejects.toThrow(
      '@CacheEvict on Cities.rename: tags: undefined is not a text',
    );
    expect(cities.asked).toEqual([]);
  });

  it('uses the cache that is named', async () => {
    const { cities, cache, pages } = await start();
    await cities.findPage(1);
    expect(await pages.get('page:1')).toBe('page 1');
    expect(await cache.get('page:1')).toBeUndefined();
  });
});

describe('@CachePut', () => {
  it('runs the method each time, and stores what it gives', async () => {
    const { cities } = await start();
    await cities.create(1, 'Rome');
    await cities.create(1, 'Roma');
    expect(await cities.findOne(1)).toEqual({ id: 1, name: 'Roma' });
    expect(cities.asked).toEqual([1, 1]);
    await cities.update({ id: 1, name: 'Rom' });
    expect(await cities.findOne(1)).toMatchObject({ name: 'City 4' });
  });

  it('stores nothing where its condition is false, or the method throws', async () => {
    const { cities, cache } = await start();
    expect(await cities.create(100, 'Rome')).toEqual({ id: 100, name: 'Rome' });
    cities.failure = new Error('no database');
    await expect(cities.create(1, 'Rome')).rejects.toBe(cities.failure);
    expect(await cache.getMany(['city:100', 'city:1'])).toEqual([undefined, undefined]);
  });
});

describe('@CacheEvict', () => {
  it('invalidates tags when the method has succeeded, in all caches', async () => {
    const { cities, cache } = await start();
    await cities.findOne(1);
    await cities.findPage(1);
    expect(await cities.update({ id: 1, name: 'Rome' })).toEqual({ id: 1, name: 'Rome' });
    expect(await cache.get('city:1')).toBeUndefined();
    expect(await cities.findPage(1)).toBe('page 2');
    await cache.invalidateTags('cities');
    expect(await cities.findPage(1)).not.toBe('page 2');
  });

  it('deletes keys, one or several', async () => {
    const { cities, cache } = await start();
    for (const id of [1, 2, 3]) await cities.findOne(id);
    await cities.remove(1, 2);
    const found = await cache.getMany(['city:1', 'city:2', 'city:3']);
    expect(found.map((city) => city !== undefined)).toEqual([false, false, true]);
    await cities.remove();
    expect(await cache.get('city:3')).toBeDefined();
  });

  it('leaves the cache alone where the method throws', async () => {
    const { cities, cache } = await start();
    await cities.findOne(1);
    cities.failure = new Error('no database');
    await expect(cities.remove(1)).rejects.toBe(cities.failure);
    expect(await cache.get('city:1')).toBeDefined();
  });

  it("evicts first with when: 'before', also where the method throws then", async () => {
    const { cities, cache } = await start();
    await cities.findOne(1);
    cities.failure = new Error('no database');
    await expect(cities.removeFirst(1)).rejects.toBe(cities.failure);
    expect(await cache.get('city:1')).toBeUndefined();
  });

  it('evicts nothing where its condition is false', async () => {
    const { cities, cache } = await start();
    await cities.findOne(100);
    await cities.removeFirst(100);
    expect(await cache.get('city:100')).toBeDefined();
  });

  it('clears the one cache with all', async () => {
    const { cities, cache, pages } = await start();
    await cities.findOne(1);
    await cities.findPage(1);
    await cities.reset();
    expect(await cache.get('city:1')).toBeUndefined();
    expect(await pages.get('page:1')).toBe('page 2');
    await cities.resetPages();
    expect(await pages.get('page:1')).toBeUndefined();
  });

  it('does nothing yet where its key function throws', async () => {
    const { cities } = await start();
    const update = cities.update.bind(cities) as (city: unknown) => Promise<City>;
    await expect(update(undefined)).rejects.toThrow(TypeError);
    expect(cities.asked).toEqual([]);
  });
});

describe('outside the container', () => {
  it('an instance has no cache, and says so', async () => {
    const cities = new Cities();
    await expect(cities.findOne(1)).rejects.toThrow(CacheNotInjectedError);
    await expect(cities.update({ id: 1, name: '' })).rejects.toThrow(
      /^@CacheEvict on Cities.update: .* container did not build/,
    );
    await expect(cities.create(1, '')).rejects.toMatchObject({ code: 'CACHE_NOT_INJECTED' });
    const { value: unbound } = Object.getOwnPropertyDescriptor(Cities.prototype, 'findOne')!;
    await expect(unbound(1)).rejects.toThrow(CacheNotInjectedError);
    expect(cities.asked).toEqual([]);
  });

  it('neither does one that a useFactory made with new', async () => {
    const { app } = await startApplication(
      [CacheModule.forRoot({ namespace: 'app' })],
      [{ provide: Cities, useFactory: () => new Cities() }],
    );
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    await expect(app.get(Cities).findOne(1)).rejects.toThrow(CacheNotInjectedError);
  });
});

describe('wrong options', () => {
  const decorate = (decorator: unknown, options: unknown) => () => {
    class Decorated {
      async method(): Promise<void> {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Decorated.prototype, 'method');
    const make = decorator as (given: unknown) => (...parameters: unknown[]) => void;
    make(options)(Decorated.prototype, 'method', descriptor);
  };

  it.each<[string, unknown, unknown, RegExp]>([
    ['no key', Cacheable, {}, /key: is missing/],
    ['a key that is no function', Cacheable, { key: 'city' }, /key: 'city' is not a function/],
    ['a duration', Cacheable, { key: String, ttl: '10 minutes' }, /ttl: '10 minutes' is not a duration/],
    [
      'tags',
      Cacheable,
      { key: String, tags: 'cities' },
      /tags: 'cities' is not a list of texts, or a function/,
    ],
    [
      'an unknown option',
      Cacheable,
      { key: String, tag: [] },
      /tag: is not an option of rednest; did you mean tags/,
    ],
    ['an option of a factory', CachePut, { key: String, softTimeout: 1 }, /softTimeout: is not an option/],
    ['nothing to evict', CacheEvict, {}, /key, tags, all: one of them must be given/],
    ['a moment', CacheEvict, { all: true, when: 'later' }, /when: 'later' is not 'before' or 'after'/],
    ['all: false', CacheEvict, { all: false }, /all: false is not true/],
  ])('are refused when the class is defined: %s', (_, decorator, options, message) => {
    expect(decorate(decorator, options)).toThrow(CacheConfigurationError);
    expect(decorate(decorator, options)).toThrow(message);
    expect(decorate(decorator, options)).toThrow(
      /^@Cache\w+ on Decorated.method is not configured correctly/,
    );
  });

  it('are told all at once', () => {
    expect(decorate(Cacheable, { ttl: -1, stale: 'a' })).toThrow(/key: .*\n.*ttl: .*\n.*stale: /s);
  });

  it('and so is what is no method of an instance', () => {
    const decorator = Cacheable({ key: () => 'a' }) as (...parameters: unknown[]) => void;
    class Decorated {}
    expect(() => decorator(Decorated, 'find', { value: async () => 1 })).toThrow(
      '@Cacheable on Decorated.find: a static method cannot have a cache',
    );
    expect(() => decorator(Decorated.prototype, 'find', { get: () => 1 })).toThrow(/this is not a method/);
    expect(() => decorator(Decorated.prototype, 'find', undefined)).toThrow(/this is not a method/);
  });
});
