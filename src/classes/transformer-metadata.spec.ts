import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Exclude, Expose, Transform, Type } from 'class-transformer';
import { hasDiscriminators, isTransformed, typeOf } from './transformer-metadata.js';

class Bare {
  a = 1;
}

class Typed {
  @Type(() => Bare)
  bare!: Bare;

  @Type(() => {
    throw new Error('not yet');
  })
  broken!: Bare;
}

describe('what is known of class-transformer', () => {
  it('a class without its decorators needs none of it', () => {
    expect(isTransformed(Bare)).toBe(false);
    expect(isTransformed(Object)).toBe(false);
  });

  it.each([
    ['Type', Type(() => Bare)],
    ['Expose', Expose()],
    ['Exclude', Exclude()],
    ['Transform', Transform(({ value }) => value as unknown)],
  ])('a class with @%s does, and those that extend it', (_, decorate) => {
    class Decorated {
      a = 1;
    }
    decorate(Decorated.prototype, 'a');
    expect(isTransformed(class extends Decorated {})).toBe(true);
    expect(isTransformed(Decorated)).toBe(true);
  });

  it('knows the classes of properties', () => {
    expect(typeOf(class extends Typed {}, 'bare')).toBe(Bare);
    expect([typeOf(Typed, 'broken'), typeOf(Typed, 'other'), typeOf(Bare, 'a')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('knows whether types are told apart by a property', () => {
    expect(hasDiscriminators()).toBe(false);
    Type(() => Bare, { discriminator: { property: 'kind', subTypes: [] } })(Bare.prototype, 'a');
    expect(hasDiscriminators()).toBe(true);
  });
});
