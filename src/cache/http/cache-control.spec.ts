import { describe, expect, it } from '@jest/globals';
import { parseCacheControl } from './cache-control.js';

describe('parseCacheControl', () => {
  it.each([
    ['', {}],
    ['public, max-age=60', { maxAge: 60 }],
    ['MAX-AGE=60 , S-MaxAge="30"', { maxAge: 60, sharedMaxAge: 30 }],
    ['max-age=', { maxAge: 0 }],
    ['max-age=-1', { maxAge: 0 }],
    ['max-age=1.5', { maxAge: 0 }],
    ['max-age=99999999999', { maxAge: 0 }],
    ['no-store', { noStore: true }],
    ['no-cache="Set-Cookie"', { noCache: true }],
    ['private="a, no-store", max-age=1', { isPrivate: true, maxAge: 1 }],
    ['stale-while-revalidate=9', { staleFor: 9 }],
    ['stale-while-revalidate=9, must-revalidate', { staleFor: 0 }],
    ['extension=no-store', {}],
    [',,, ;', {}],
  ])('reads %j', (header, expected) => {
    expect(parseCacheControl(header)).toEqual({
      noStore: false,
      noCache: false,
      isPrivate: false,
      maxAge: undefined,
      sharedMaxAge: undefined,
      staleFor: undefined,
      ...expected,
    });
  });
});
