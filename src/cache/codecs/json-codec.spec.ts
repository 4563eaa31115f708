import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { jsonCodec } from './json-codec.js';

const KEY = 'city:1';

describe('jsonCodec', () => {
  it('gives back what JSON has', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const bytes = jsonCodec.encode(value, KEY);
        expect(jsonCodec.decode(bytes, KEY)).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([[Symbol('x')], [() => 1], [1n], [{ toJSON: () => undefined }]])('refuses %p', (value) => {
    expect(() => jsonCodec.encode(value, KEY)).toThrow(TypeError);
  });

  it.each([[''], ['{"a":'], ['undefined']])('throws for %p', (text) => {
    expect(() => jsonCodec.decode(Buffer.from(text), KEY)).toThrow(SyntaxError);
  });
});
