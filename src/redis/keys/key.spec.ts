import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { key } from './key.js';
import { namespace } from './namespace.js';

describe('key', () => {
  it('leaves the template as it is and ordinary values readable', () => {
    expect(key`city:${2657896}:{tag}:${'Zürich-West_1.0~'}:${true}:${10n}`).toBe(
      'city:2657896:{tag}:Zürich-West_1.0~:true:10',
    );
  });

  it.each([
    ['1:admin', 'user:1%3Aadmin'],
    ['{other}', 'user:%7Bother%7D'],
    ['*?[a]\\^', 'user:%2A%3F%5Ba%5D%5C%5E'],
    ['100%', 'user:100%25'],
    ['a b\r\n', 'user:a%20b%0D%0A'],
    ['', 'user:'],
  ])('keeps %j in its place', (input, expected) => {
    expect(key`user:${input}`).toBe(expected);
  });

  it('makes different keys of different inputs, and escapes so that the input can be told from it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (first, second) => {
        const built = key`a:${first}:b:${second}`;
        const [, one, , two] = built.split(':').map(decodeURIComponent);
        expect([one, two]).toEqual([first, second]);
        expect(built.split(':')).toHaveLength(4);
        expect(built).not.toMatch(/[{}*?[\]\\^\s]/);
      }),
    );
  });

  it.each([undefined, null, {}, [], Number.NaN, Number.POSITIVE_INFINITY, Symbol('s')])(
    'refuses %p',
    (value) => {
      expect(() => key`user:${value as never}`).toThrow(/A key cannot be built with/);
    },
  );
});

describe('namespace', () => {
  const atlas = namespace('atlas');

  it('puts its name before keys and patterns, and nests', () => {
    expect(atlas.key`city:${1}`).toBe('atlas:city:1');
    expect(atlas.pattern`city:*:${'a*'}`).toBe('atlas:city:*:a%2A');
    expect(atlas.namespace('eu').key`city:${1}`).toBe('atlas:eu:city:1');
  });

  it.each(['', 'a*', '{a}', 'a b', ':a', 'a:', 'a?'])('refuses the name %j', (name) => {
    expect(() => namespace(name)).toThrow(/is not a namespace/);
  });
});
