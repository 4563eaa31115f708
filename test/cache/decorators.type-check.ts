/**
 * What the decorators' types must refuse, checked by `tsc --noEmit`: where one of these lines compiled, its `@ts-expect-error` would
 * not. Nothing of it runs.
 */
import { Cacheable, CacheEvict, CachePut } from 'rednest';

interface City {
  id: number;
  name: string;
}

const city: City = { id: 1, name: 'Berlin' };

export class Accepted {
  @Cacheable({ key: (id: number) => `city:${id}`, ttl: '10m', tags: (id) => [`city:${id}`, 'cities'] })
  findOne(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  @Cacheable({ key: (id) => `city:${id.toFixed()}`, condition: (id, name) => id > 0 && name.length > 0 })
  withInferredParameters(_id: number, _name: string): Promise<City | null> {
    return Promise.resolve(null);
  }

  @Cacheable({ key: (id: number) => `city:${id}` })
  withTrailingParameters(_id: number, _name: string, _options?: { deep: boolean }): Promise<City> {
    return Promise.resolve(city);
  }

  @Cacheable({ key: () => 'all', tags: ['cities'], stale: '1h', errors: { ttl: '1s' } })
  async withoutParameters(): Promise<City[]> {
    return [city];
  }

  @Cacheable({
    key: (id) => `city:${id}`,
    adapt: (found, id) => (found.id === id ? { ttl: '1m', tags: [found.name] } : { skip: true }),
  })
  async adapted(_id: number): Promise<City> {
    return city;
  }

  @CachePut({
    key: (created, name) => `city:${created.id.toFixed()}:${name.trim()}`,
    tags: (created) => [created.name],
  })
  create(_name: string): Promise<City> {
    return Promise.resolve(city);
  }

  @CacheEvict({ tags: (changed: City) => [`city:${changed.id}`] })
  update(changed: City): Promise<City> {
    return Promise.resolve(changed);
  }

  @CacheEvict({ key: (changed) => [`city:${changed.id.toFixed()}`], when: 'before' })
  async remove(_city: City): Promise<void> {}

  @CacheEvict({ all: true })
  async reset(): Promise<void> {}
}

export abstract class AcceptedGeneric<T extends { id: number }> {
  @Cacheable({ key: (id: number) => `item:${id}` })
  async find(id: number): Promise<T> {
    return this.load(id);
  }

  @CacheEvict({ key: (item) => `item:${item.id.toFixed()}` })
  async save(_item: T): Promise<void> {}

  protected abstract load(id: number): Promise<T>;
}

export class Refused {
  // @ts-expect-error: the parameter is a number
  @Cacheable({ key: (id: string) => id })
  wrongParameter(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: the method has one parameter only
  @Cacheable({ key: (id: number, name: string) => `${id}${name}` })
  extraParameter(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: a key is text
  @Cacheable({ key: (id) => id })
  wrongReturn(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: the parameter has no such property
  @Cacheable({ key: (found) => found.code })
  wrongProperty(_city: City): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: tags are a list
  @Cacheable({ key: (id) => `${id}`, tags: (id) => `city:${id}` })
  wrongTags(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: a condition answers true or false
  @Cacheable({ key: (id) => `${id}`, condition: (id) => `${id}` })
  wrongCondition(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: a promise for a condition is always true
  @Cacheable({ key: (id) => `${id}`, condition: async (id) => id > 1 })
  asyncCondition(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: a duration has a unit
  @Cacheable({ key: () => 'a', ttl: '10 minutes' })
  wrongDuration(): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: no such option
  @Cacheable({ key: () => 'a', expires: '10m' })
  unknownOption(): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: a key is needed
  @Cacheable({ ttl: '10m' })
  withoutKey(): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: the value has no such property
  @Cacheable({ key: () => 'a', adapt: (found) => ({ tags: [found.code] }) })
  wrongAdaptation(): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: not a promise
  @Cacheable({ key: (id: number) => `${id}` })
  sync(_id: number): City {
    return city;
  }

  // @ts-expect-error: a getter
  @Cacheable({ key: () => 'city' })
  get getter(): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: a property
  @Cacheable({ key: () => 'city' })
  property = async (): Promise<City> => city;

  // @ts-expect-error: the value comes first, then the parameters
  @CachePut({ key: (id: number) => `city:${id}` })
  wrongPut(_id: number): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: only a factory has timeouts
  @CachePut({ key: () => 'city', softTimeout: '1s' })
  wrongPutOption(): Promise<City> {
    return Promise.resolve(city);
  }

  // @ts-expect-error: not a promise
  @CachePut({ key: () => 'city' })
  syncPut(): City {
    return city;
  }

  // @ts-expect-error: the parameter is a City
  @CacheEvict({ tags: (id: number) => [`city:${id}`] })
  wrongEvict(_city: City): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error: nothing to evict
  @CacheEvict({ when: 'before' })
  emptyEvict(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error: not a moment
  @CacheEvict({ all: true, when: 'later' })
  wrongMoment(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error: not a promise
  @CacheEvict({ all: true })
  syncEvict(): void {}
}
