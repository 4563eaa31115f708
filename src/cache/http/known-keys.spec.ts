import { describe, expect, it } from '@jest/globals';
import { KnownKeys } from './known-keys.js';

describe('KnownKeys', () => {
  it('makes the key of a host and a target once', () => {
    const known = new KnownKeys();
    expect(known.get('a.test', '/x', () => 'first')).toBe('first');
    expect(known.get('a.test', '/x', () => 'second')).toBe('first');
    expect(known.get('b.test', '/x', () => 'other host')).toBe('other host');
    expect(known.get('a.test', '/y', () => 'other target')).toBe('other target');
  });

  it('keeps so many, and none that is very long', () => {
    const known = new KnownKeys();
    for (let number = 0; number < 1_000; number++) known.get(`host-${number % 7}`, `/${number}`, () => 'old');
    expect(known.get('host-0', '/0', () => 'new')).toBe('old');
    known.get('a.test', '/one-more', () => 'last');
    expect(known.get('host-0', '/0', () => 'new')).toBe('new');
    expect(known.get('a.test', '/one-more', () => 'new')).toBe('last');
    const long = `/${'x'.repeat(600)}`;
    for (const key of ['first', 'second']) expect(known.get('a.test', long, () => key)).toBe(key);
  });
});
