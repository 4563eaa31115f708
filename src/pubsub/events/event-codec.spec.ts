import { describe, expect, it } from '@jest/globals';
import { Exclude, Expose, Transform, Type } from 'class-transformer';
import { ArrayMaxSize, IsDate, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import * as fc from 'fast-check';
import { EventInvalidError, EventTooLargeError } from '../pubsub-errors.js';
import { UnreadableEvent, type Envelope } from './envelope.js';
import { EventCodec } from './event-codec.js';
import { keyOf } from './event-key.js';
import type { EventClass, EventOptions } from './event-options.js';
import type { EventType } from './event-type.js';
import { EventTypes } from './event-types.js';
import { Event } from './event.decorator.js';

const types = new EventTypes({ topics: {} });
const codec = new EventCodec({ maxSize: 10_000, validator: {} }, 'replica-"1"');
const PLAIN = types.of('plain');
const details = { id: 'id', key: undefined, trace: undefined };

const send = (type: EventType, event: unknown, by = codec): string =>
  by.encode(by.envelope(type, by.prepare(type, event), details));
const receive = (type: EventType, raw: string, by = codec): unknown => by.read(type, by.parse(raw));
const travel = (type: EventType, event: unknown): unknown => receive(type, send(type, event));

const typeOf = <E extends object>(classRef: EventClass<E>, options: EventOptions<E> = {}): EventType => {
  Event(`t-${Math.random().toString(36).slice(2)}`, options)(classRef);
  return types.of(classRef);
};

const raw = (type: EventType, data: unknown, others: Partial<Envelope> = {}): string =>
  JSON.stringify({ id: 'id', topic: type.topic, v: type.version, at: 1, from: 'x', data, ...others });

const unreadable = (run: () => unknown): UnreadableEvent => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableEvent);
    return error as UnreadableEvent;
  }
  throw new Error('It did not throw');
};

const invalid = (type: EventType, event: unknown): EventInvalidError => {
  try {
    send(type, event);
  } catch (error) {
    expect(error).toBeInstanceOf(EventInvalidError);
    return error as EventInvalidError;
  }
  throw new Error('It did not throw');
};

class CityViewed {
  @IsInt()
  @Min(1)
  city!: number;

  @IsOptional()
  @IsString()
  by?: string;

  get label(): string {
    return `city ${this.city}`;
  }

  shout(): string {
    return this.label.toUpperCase();
  }
}
const viewed = typeOf(CityViewed);

class Bare {
  [name: string]: unknown;
}
const bare = typeOf(Bare);

class User {
  name = 'Ada';

  @Exclude()
  password = 'secret';
}

class Trip {
  @IsString()
  id!: string;

  @Type(() => Date)
  @IsDate()
  at!: Date;

  @Type(() => CityViewed)
  @ValidateNested({ each: true })
  @ArrayMaxSize(3)
  stops!: CityViewed[];

  @Expose({ name: 'who' })
  @Transform(({ value }) => String(value).trim())
  user!: string;
}
const trip = typeOf(Trip);

const city = (id: number): CityViewed => Object.assign(new CityViewed(), { city: id });

describe('what is published is what is read', () => {
  it('for plain topics: whatever JSON can hold', () => {
    const check = (data: unknown, key: string, id: string): void => {
      const envelope = codec.envelope(PLAIN, codec.prepare(PLAIN, data), { id, key, trace: 'trace' });
      const encoded = codec.encode(envelope);
      expect(JSON.parse(encoded)).toEqual(JSON.parse(JSON.stringify(envelope)));
      const parsed = codec.parse(encoded);
      expect(parsed).toEqual({ ...envelope, data: JSON.parse(JSON.stringify(data)) as unknown });
      expect(codec.read(PLAIN, parsed)).toBe(parsed.data);
    };
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const id = fc.stringMatching(/^[\w.:/-]{1,40}$/);
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 2 }), text, id, check));
  });

  it('for classes without decorators: their own properties', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 })), (properties) => {
        const read = receive(bare, raw(bare, properties)) as Bare;
        expect(Object.getPrototypeOf(read)).toBe(Bare.prototype);
        for (const [property, value] of Object.entries(properties)) {
          const isKept = !(property in Object.prototype);
          expect(Object.hasOwn(read, property)).toBe(isKept);
          if (isKept) expect(JSON.stringify(read[property])).toBe(JSON.stringify(value));
        }
      }),
    );
  });

  it('as an instance, also of a plain object', () => {
    for (const event of [Object.assign(city(5), { by: 'Ada' }), { city: 5, by: 'Ada' }]) {
      const read = travel(viewed, event) as CityViewed;
      expect(read).toBeInstanceOf(CityViewed);
      expect(read).toEqual({ city: 5, by: 'Ada' });
      expect(read.shout()).toBe('CITY 5');
    }
  });

  it('with decorators of class-transformer', () => {
    const event = Object.assign(new Trip(), { id: 'a', at: new Date(5), stops: [city(1)], user: ' Ada ' });
    expect(JSON.parse(send(trip, event))).toMatchObject({ data: { who: 'Ada' } });
    const read = travel(trip, event) as Trip;
    expect(read).toBeInstanceOf(Trip);
    expect(read.at).toEqual(new Date(5));
    expect(read.stops[0]).toBeInstanceOf(CityViewed);
    expect(read.user).toBe('Ada');
  });

  it('without what a class excludes, wherever its instance stands', () => {
    for (const event of [{ user: new User() }, { users: [[new User()]] }, { deep: { user: new User() } }]) {
      const sent = send(bare, Object.assign(new Bare(), event));
      expect(sent).toContain('Ada');
      expect(sent).not.toContain('secret');
    }
    expect(send(PLAIN, new User())).not.toContain('secret');
    // class-transformer cannot read this.
    invalid(PLAIN, [[{ user: new User(), constructor: 5 }]]);
    expect(travel(PLAIN, Object.assign(Object.create(null), { constructor: 5 }))).toEqual({ constructor: 5 });
  });

  it('a local event stays what it is', () => {
    const local = typeOf(class Local extends Bare {}, { delivery: 'local' });
    const event = codec.prepare(local, { big: 5n });
    expect(codec.envelope(local, event, details).data).toBe(event);
  });

  it('the same event can be read several times, where types are told apart by a property', () => {
    class Cat {
      lives = 7;
    }
    class Dog {
      barks = true;
    }
    class Owner {
      @Type(() => Object, {
        discriminator: {
          property: 'kind',
          subTypes: [
            { name: 'cat', value: Cat },
            { name: 'dog', value: Dog },
          ],
        },
      })
      pet!: Cat | Dog;
    }
    const owner = typeOf(Owner);
    const envelope = codec.parse(raw(owner, { pet: { kind: 'dog', barks: false } }));
    for (let time = 0; time < 2; time++)
      expect((codec.read(owner, envelope) as Owner).pet).toBeInstanceOf(Dog);
    const plain = { pet: { kind: 'cat', lives: 3 } } as never;
    for (let time = 0; time < 2; time++) expect((travel(owner, plain) as Owner).pet).toEqual({ lives: 3 });
  });
});

describe('an event that is not to be published', () => {
  it('is one that would not be valid on arrival, by property; which is looked at once', () => {
    class Untyped {
      @IsDate()
      at = new Date();
    }
    class Typed {
      @IsOptional()
      @IsDate()
      @Type(() => Date)
      at? = new Date();
    }
    const untyped = typeOf(Untyped);
    for (let attempt = 0; attempt < 2; attempt++) {
      const { problems } = invalid(untyped, new Untyped());
      expect(problems).toEqual([
        { property: 'at', message: expect.stringMatching(/^at must be a Date.*@Type\(\(\) => Date\)$/) },
      ]);
    }
    expect(travel(typeOf(Typed), new Typed())).toBeInstanceOf(Typed);
    const local = typeOf(class Local extends Untyped {}, { delivery: 'local' });
    expect(codec.envelope(local, new Untyped(), details).data).toBeInstanceOf(Untyped);
  });

  it('is one whose properties are missing', () => {
    expect(invalid(viewed, undefined).message).toMatch(/its properties are missing.* CityViewed/);
  });

  it('is told all that is wrong, without values', () => {
    const { problems, topic, message } = invalid(viewed, { city: -7.5, by: 987_654 });
    expect(topic).toBe(viewed.topic);
    expect(problems).toHaveLength(3);
    expect(new Set(problems.map(({ property }) => property))).toEqual(new Set(['city', 'by']));
    expect(message).toContain('city must be an integer number');
    expect(message).not.toMatch(/7\.5|987/);
  });

  it('is told where in it', () => {
    const event = { id: 'a', at: new Date(), stops: [city(1), city(0)], who: 'x' };
    expect(invalid(trip, event).problems).toEqual([
      { property: 'stops.1.city', message: 'stops.1.city must not be less than 1' },
    ]);
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['itself'] = { cyclic };
  const toJSON = (): never => {
    throw new Error('no');
  };

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a bigint', 5n],
    ['a bigint within', { big: 5n }],
    ['what is cyclic', cyclic],
    ['a toJSON that throws', { toJSON }],
    ['a toJSON without result', { toJSON: () => undefined }],
  ])('may not be %s', (_, data) => {
    expect(invalid(PLAIN, data).message).not.toContain('\n');
  });

  it.each([[undefined], [null], [5], ['text'], [[]], [[{ city: 5 }]]])('%p is no instance', (data) => {
    invalid(viewed, data);
  });

  it('may not be cyclic with class-transformer either, nor have a class that cannot be filled', () => {
    const event = Object.assign(new Trip(), { id: 'a', at: new Date(), stops: [], user: 'x', cyclic });
    invalid(trip, event);
    class Strict {
      constructor(readonly of: { id: number }) {
        if (of.id > 5) throw new Error('x');
      }
    }
    const strict = typeOf(Strict);
    invalid(strict, { of: { id: 5 } });
    expect(invalid(strict, new Strict({ id: 5 })).message).toContain('without arguments');
    const arrived = raw(strict, { of: { id: 5 } });
    expect(unreadable(() => receive(strict, arrived)).message).toContain('without arguments');
  });

  it('may not be larger than maxSize, in bytes', () => {
    const overhead = Buffer.byteLength(send(PLAIN, ''));
    const limited = (maxSize: number): EventCodec =>
      new EventCodec({ maxSize, validator: {} }, 'replica-"1"');
    for (const letter of ['a', 'é', '€', '😀']) {
      const size = overhead + Buffer.byteLength(letter) * 100;
      const encoded = send(PLAIN, letter.repeat(100), limited(size));
      expect(() => send(PLAIN, letter.repeat(100), limited(size - 1))).toThrow(EventTooLargeError);
      expect(receive(PLAIN, encoded, limited(size))).toBe(letter.repeat(100));
      expect(unreadable(() => limited(size - 1).parse(encoded)).reason).toBe('oversized');
    }
  });
});

describe('a message that cannot be read', () => {
  const whole = { id: 'a', topic: 'a', v: 1, at: 1, from: '', data: null };

  it.each(['', '{', 'null', '5', '[]', '"text"', '{}'])('%p is undecodable', (text) => {
    expect(unreadable(() => codec.parse(text)).reason).toBe('undecodable');
  });

  it.each([
    ['id', [undefined, '', 5, 'x'.repeat(129)]],
    ['topic', [undefined, '', 'a b', 'a.*', '{a}', 5]],
    ['v', [undefined, 0, 1.5, '1', null]],
    ['at', [undefined, 'x', null, 1e300, 9e15]],
    ['from', [undefined, 5]],
    ['key', [5, null]],
    ['trace', [5, null]],
    ['data', [undefined]],
  ])('is undecodable with a wrong %s', (name, values) => {
    expect(codec.parse(JSON.stringify(whole))).toEqual(whole);
    for (const value of values) {
      const text = JSON.stringify({ ...whole, [name]: value });
      expect(unreadable(() => codec.parse(text)).reason).toBe('undecodable');
    }
  });

  it.each([[null], [5], ['text'], [[]], [{}], [{ city: 0 }], [{ city: '5' }], [{ city: 5, by: {} }]])(
    '%p is invalid',
    (data) => {
      expect(unreadable(() => receive(viewed, raw(viewed, data))).reason).toBe('invalid');
    },
  );

  it('cannot do more than be invalid, whatever it holds', () => {
    const nested = fc.dictionary(fc.constantFrom('constructor', '__proto__', 'city', 'then'), fc.jsonValue());
    const stops = fc.oneof(fc.jsonValue(), fc.array(nested), nested);
    fc.assert(
      fc.property(stops, fc.jsonValue(), (given, at) => {
        const text = raw(trip, { id: 'a', at, stops: given, who: '' });
        try {
          expect(receive(trip, text)).toBeInstanceOf(Trip);
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableEvent);
        }
        expect(({} as Record<string, unknown>)['city']).toBeUndefined();
      }),
    );
  });

  it('sets nothing but data: no methods, no getters, no prototype', () => {
    const text = raw(viewed, { city: 5 }).replace(
      '"city":5',
      '"city":5,"shout":1,"label":2,"toString":3,"constructor":4,"__proto__":{"by":"x"}',
    );
    const read = receive(viewed, text) as CityViewed;
    expect([read.shout(), Object.keys(read), read.by]).toEqual(['CITY 5', ['city'], undefined]);
  });

  it('with another version, unless that can be upgraded', () => {
    const upgrade = (data: Readonly<Record<string, unknown>>, version: number): unknown => {
      if (version === 3) throw new Error('too new');
      return version === 1 ? { city: data['id'] } : undefined;
    };
    class Second extends CityViewed {}
    const second = typeOf(Second, { version: 2, upgrade });
    expect(receive(second, raw(second, { id: 5 }, { v: 1 }))).toEqual(city(5));
    expect(unreadable(() => receive(second, raw(second, { id: 0 }, { v: 1 }))).reason).toBe('invalid');
    expect(unreadable(() => receive(second, raw(second, 5, { v: 1 }))).reason).toBe('invalid');
    for (const v of [3, 4]) {
      const { reason, message } = unreadable(() => receive(second, raw(second, { id: 5 }, { v })));
      expect(reason).toBe('version');
      expect(message).toMatch(new RegExp(`version ${v}.* knows 2`));
    }
    expect(unreadable(() => receive(viewed, raw(viewed, city(5), { v: 2 }))).reason).toBe('version');
  });
});

describe('options of class-validator', () => {
  it('hold on both sides', () => {
    const strict = new EventCodec(
      { maxSize: 10_000, validator: { whitelist: true, forbidNonWhitelisted: true } },
      'x',
    );
    expect(() => strict.prepare(viewed, { city: 5, foo: 1 })).toThrow('property foo should not exist');
    expect(unreadable(() => strict.read(viewed, strict.parse(raw(viewed, { city: 5, foo: 1 })))).reason).toBe(
      'invalid',
    );
    const unknown = new EventCodec({ maxSize: 10_000, validator: { forbidUnknownValues: true } }, 'x');
    expect(() => unknown.prepare(bare, { a: 1 })).toThrow(EventInvalidError);
    const lenient = new EventCodec({ maxSize: 10_000, validator: { skipMissingProperties: true } }, 'x');
    expect(lenient.prepare(viewed, {})).toEqual({});
  });
});

describe('keyOf', () => {
  const keyed = (key: unknown): EventType => ({ ...PLAIN, key: () => key as string });

  it('is text', () => {
    expect(keyOf(PLAIN, {})).toBeUndefined();
    expect(['a', 5, 0, undefined].map((key) => keyOf(keyed(key), {}))).toEqual(['a', '5', '0', undefined]);
  });

  it.each([[''], [NaN], [Infinity], [null], [{}], [5n], [true]])('%p is none', (key) => {
    expect(() => keyOf(keyed(key), {})).toThrow(EventInvalidError);
  });
});
