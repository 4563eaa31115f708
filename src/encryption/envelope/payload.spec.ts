import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { EncryptionSerializationError, EncryptionUnsupportedError } from '../encryption-errors.js';
import { decodePayload, encodePayload } from './payload.js';
import { NOWHERE } from './place.js';

const circle: { self?: unknown } = {};
circle.self = circle;

describe('encodePayload', () => {
  it.each([
    ['a text', 'a', 'text'],
    ['half a surrogate pair', 'a\ud800', 'json'],
    ['a Buffer', Buffer.from('a'), 'bytes'],
    ['a Uint8Array', new Uint8Array(2), 'bytes'],
    ['a Uint8Array of another realm', runInNewContext('new Uint8Array(2)') as unknown, 'bytes'],
    ['null', null, 'json'],
    ['a number', -1.5, 'json'],
    ['what has a toJSON', new Date(0), 'json'],
  ])('takes %s', (_, value, encoding) => {
    expect(encodePayload(value, NOWHERE).encoding).toBe(encoding);
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 'secret'],
    ['a symbol', Symbol('secret')],
    ['a bigint', 5n],
    ['a circle', circle],
    ['NaN', Number.NaN],
    ['an infinite number', Infinity],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2)],
    ['a Uint16Array', new Uint16Array(2)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['a Map', new Map([['secret', 1]])],
    ['a Set', new Set(['secret'])],
    ['what becomes nothing', { toJSON: () => undefined }],
  ])('refuses %s, which JSON cannot say', (_, value) => {
    let error: unknown;
    try {
      encodePayload(value, { ...NOWHERE, key: 'a' });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(EncryptionSerializationError);
    expect((error as Error).message).toMatch(
      /^The value of 'a' is no Buffer, no text and nothing that JSON can write$/,
    );
    expect(inspect(error)).not.toContain('secret');
  });

  it('does not keep what the value itself throws, which may show it', () => {
    const throwing = {
      toJSON: () => {
        throw new Error('secret');
      },
    };
    let error: unknown;
    try {
      encodePayload(throwing, NOWHERE);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(EncryptionSerializationError);
    expect(inspect(error)).not.toContain('secret');
  });
});

describe('decodePayload', () => {
  it('does not show what should be JSON and is not', () => {
    let error: unknown;
    try {
      decodePayload(Buffer.from('secret'), 'json', NOWHERE);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(EncryptionUnsupportedError);
    expect(inspect(error)).not.toContain('secret');
  });
});
