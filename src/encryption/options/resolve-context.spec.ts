import { describe, expect, it } from '@jest/globals';
import { EncryptionConfigurationError } from './encryption-configuration-error.js';
import { resolveContext } from './resolve-context.js';

describe('resolveContext', () => {
  it('takes a text, bytes and nothing', () => {
    const bytes = new Uint8Array(2);
    const given = [undefined, {}, { context: 'a' }, { context: bytes }];
    expect(given.map((options) => resolveContext('It', options))).toEqual(['', '', 'a', bytes]);
  });

  it.each([
    ['a name that is misspelt', { contxt: 'a' }, /contxt/],
    ['an option of another method', { context: 'a', ttl: 5 }, /ttl/],
    ['one that was forgotten', { context: undefined }, /context: undefined is not a text.*leave it out/],
    ['an empty one', { context: '' }, /context: '' is not a text/],
    ['no bytes', { context: new Uint8Array() }, /context: .* is not a text/],
    ['a number', { context: 5 }, /context: 5 is not a text/],
    ['an object', { context: {} }, /context: an object is not a text/],
    ['half a surrogate pair, which would be as good as any other', { context: 'a\ud800' }, /context/],
    ['a text in place of options', 'a', /not an object of options/],
  ])('refuses %s', (_, options, message) => {
    const resolve = (): unknown => resolveContext('EncryptionService.encrypt', options as object);
    expect(resolve).toThrow(EncryptionConfigurationError);
    expect(resolve).toThrow(message);
    expect(resolve).toThrow(/EncryptionService\.encrypt/);
  });
});
