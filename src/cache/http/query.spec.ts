import { parse } from 'node:querystring';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normaliseQuery } from './query.js';

describe('normaliseQuery', () => {
  it.each([
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&b=1&a=1', 'a=2&a=1&b=1'],
    ['a=1', 'a=1'],
    ['', ''],
    ['b[]=1&a=1', 'b[]=1&a=1'],
    ['b=1&%61=1', 'b=1&%61=1'],
  ])('makes of %j %j', (query, expected) => {
    expect(normaliseQuery(query, undefined)).toBe(expected);
  });

  it('leaves out what is not named, unless a parser may take it for what is', () => {
    const names = new Set(['page']);
    expect(normaliseQuery('utm_source=a&page=1&fbclid=b', names)).toBe('page=1');
    expect(normaliseQuery('page=1&[page]=2&p%61ge=3', names)).toBe('page=1&[page]=2&p%61ge=3');
    expect(normaliseQuery('utm_source=a', names)).toBe('');
  });

  it('gives the same key only to what parses to the same', () => {
    const part = fc.constantFrom(
      'a',
      'b',
      'a[]',
      'a[b]',
      '%61',
      'a=1',
      '=',
      '&',
      '1',
      '+',
      '%',
      'a.b',
      '[a]',
    );
    const query = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(query, query, (one, other) => {
        fc.pre(normaliseQuery(one, undefined) === normaliseQuery(other, undefined));
        expect(parse(one)).toEqual(parse(other));
      }),
    );
    fc.assert(
      fc.property(query, (one) => {
        expect(parse(normaliseQuery(one, undefined))).toEqual(parse(one));
      }),
    );
  });

  it('does not sort more parameters than parsers read', () => {
    const query = Array.from({ length: 200 }, (_, i) => `p${200 - i}=1`).join('&');
    expect(normaliseQuery(query, undefined)).toBe(query);
  });
});
