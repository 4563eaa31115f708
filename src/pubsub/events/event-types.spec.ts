import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsInt, registerDecorator, Validate, ValidateNested, ValidatorConstraint } from 'class-validator';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import { Event, eventMetadata } from './event.decorator.js';
import type { EventClass, EventOptions } from './event-options.js';
import { EventTypes } from './event-types.js';

const errorOf = (run: () => unknown): PubSubConfigurationError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(PubSubConfigurationError);
    return error as PubSubConfigurationError;
  }
  throw new Error('It did not throw');
};

const classOf = (topic: string, options?: EventOptions<never>): EventClass => {
  class CityViewed {}
  Event(topic, options as EventOptions<CityViewed>)(CityViewed);
  return CityViewed;
};

@Event('city.viewed', {
  delivery: 'durable',
  key: ({ city }) => city,
  version: 2,
  keep: '5m',
  maxLength: 1_000,
})
class CityViewed {
  city!: number;
}

class Heir extends CityViewed {}

describe('@Event', () => {
  it('says what the class is', () => {
    expect(eventMetadata(CityViewed)).toEqual({
      topic: 'city.viewed',
      classRef: CityViewed,
      delivery: 'durable',
      version: 2,
      upgrade: undefined,
      key: expect.any(Function),
      partitions: 8,
      keep: 300_000,
      retention: 604_800_000,
      maxLength: 1_000,
    });
    expect(Object.keys(CityViewed)).toEqual([]);
  });

  it('is not for classes that extend it', () => {
    expect(eventMetadata(Heir)).toBeUndefined();
  });

  it('may stand on a class that extends an event', () => {
    @Event('city.seen')
    class Other extends CityViewed {}
    expect(eventMetadata(Other)?.topic).toBe('city.seen');
  });

  it('refuses all that is wrong, together, by name', () => {
    const options = {
      delivery: 'x',
      version: 0,
      partitions: 1.5,
      keep: '1',
      retention: 0,
      maxLength: 0,
      key: 1,
      upgrade: 1,
      foo: 1,
    };
    const { problems, message } = errorOf(() => classOf('a b', options as never));
    expect(message).toContain('@Event on CityViewed');
    expect(problems.map(({ option }) => option).toSorted()).toEqual(
      [...Object.keys(options), 'topic'].toSorted(),
    );
  });

  it.each(['partitions', 'keep', 'retention', 'maxLength'])('refuses %s where nothing is kept', (option) => {
    expect(errorOf(() => classOf('a', { [option]: 5 })).problems).toEqual([
      { option, message: expect.stringContaining('broadcast') },
    ]);
  });

  it('stands on a class once', () => {
    const again = Event('city.other');
    expect(errorOf(() => again(CityViewed)).message).toContain('city.viewed');
  });
});

describe('EventTypes', () => {
  const types = (topics = {}): EventTypes => new EventTypes({ topics });

  it('knows classes, named topics and others, each as one', () => {
    const all = types({ 'city.deleted': { delivery: 'durable', partitions: 2 } });
    expect(all.of(CityViewed)).toBe(all.ofInstance(new CityViewed()));
    expect(all.of('city.deleted')).toMatchObject({ classRef: undefined, delivery: 'durable', partitions: 2 });
    expect(all.of('other')).toMatchObject({ topic: 'other', delivery: 'broadcast', version: 1 });
    expect(all.of('other')).toBe(all.of('other'));
  });

  it.each([Heir, class {}, Object, {} as never])('refuses %p, which has no @Event', (classRef) => {
    expect(errorOf(() => types().of(classRef)).message).toContain('@Event');
  });

  it('refuses instances of no event, by name', () => {
    expect(errorOf(() => types().ofInstance(new Heir())).message).toContain('Heir');
    for (const plain of [{}, Object.create(null)])
      expect(errorOf(() => types().ofInstance(plain)).message).toMatch(/plain object; give the class or the/);
    for (const none of [null, undefined, [new CityViewed()], 5, () => 1])
      expect(errorOf(() => types().ofInstance(none)).message).toMatch(
        /no instance of a class; give the class/,
      );
  });

  it.each(['', 'a b', 'a.*', '__proto__ '])('refuses %p for a topic', (topic) => {
    errorOf(() => types().of(topic));
  });

  it('takes classes of one topic that agree, whatever their versions', () => {
    const all = types();
    const [first, second] = [classOf('a', { version: 1 }), classOf('a', { version: 2 })];
    expect([all.of(first).version, all.of(second).version]).toEqual([1, 2]);
    expect(all.of('a').classRef).toBeUndefined();
  });

  it.each([
    [{}, 'delivery'],
    [{ delivery: 'durable', partitions: 3 }, 'partitions'],
    [{ delivery: 'durable', keep: 1 }, 'keep'],
    [{ delivery: 'durable', retention: 1 }, 'retention'],
    [{ delivery: 'durable', maxLength: 1 }, 'maxLength'],
  ])('refuses classes of one topic where they disagree: %p', (options, option) => {
    const all = types();
    all.of(classOf('a', { delivery: 'durable' }));
    expect(errorOf(() => all.of(classOf('a', options as EventOptions<never>))).problems).toMatchObject([
      { option },
    ]);
  });

  it('refuses a class and a plain topic that disagree, whichever is first', () => {
    const durable = classOf('a', { delivery: 'durable' });
    const [first, second] = [types(), types()];
    first.of(durable);
    errorOf(() => first.of('a'));
    second.of('a');
    errorOf(() => second.of(durable));
  });

  it("refuses a class whose topic is among the module's", () => {
    expect(errorOf(() => types({ 'city.viewed': {} }).of(CityViewed)).message).toContain('CityViewed');
  });

  it('applications do not see each other', () => {
    types().of(classOf('a', { delivery: 'durable' }));
    expect(types().of(classOf('a', { delivery: 'local' })).delivery).toBe('local');
  });

  it('refuses asynchronous validators, also of what is nested', () => {
    @ValidatorConstraint({ async: true })
    class Slow {
      validate(): Promise<boolean> {
        return Promise.resolve(true);
      }
    }
    class Place {
      @Validate(Slow)
      name!: string;
    }
    class Trip {
      @ValidateNested()
      @Type(() => Place)
      from!: Place;
    }
    class Registered {
      @IsInt()
      id!: number;
    }
    const validator = { validate: () => Promise.resolve(true) };
    registerDecorator({ target: Registered, propertyName: 'id', async: true, validator });
    for (const [classRef, option] of [
      [Place, 'name'],
      [Trip, 'from.name'],
      [Registered, 'id'],
    ] as const) {
      Event(classRef.name)(classRef);
      expect(errorOf(() => types().of(classRef)).problems).toMatchObject([{ option }]);
    }
  });
});
