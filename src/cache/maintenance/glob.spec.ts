import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from 'rednest/testing';
import { escapePattern, globToRegExp } from './glob.js';

/** Few letters, so that patterns and texts meet. */
const text = fc.string({ unit: fc.constantFrom(...Array.from('abc-^[]\\*?.$(|é\n')), maxLength: 6 });

describe('a pattern', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = await server.admin();
  });
  afterAll(() => server.stop());

  it('matches what it matches in Redis', async () => {
    const ascii = text.filter((each) => !each.includes('é'));
    await fc.assert(
      fc.asyncProperty(ascii, fc.uniqueArray(ascii, { maxLength: 20 }), async (pattern, texts) => {
        await redis.flushall();
        await Promise.all(texts.map((each) => redis.set(`p${each}`, 1)));
        const found = await redis.keys(`p${pattern}`);
        const regExp = globToRegExp(pattern);
        expect(texts.filter((each) => regExp.test(each)).toSorted()).toEqual(
          found.map((key) => key.slice(1)).toSorted(),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('of many stars is looked for in a time that does not grow with their power', () => {
    const long = 'a'.repeat(5_000);
    expect(globToRegExp(`${'*a'.repeat(30)}b`).test(long)).toBe(false);
    expect(globToRegExp(`${'*'.repeat(5_000)}b`).test(long)).toBe(false);
    expect(globToRegExp(`${'*a'.repeat(30)}*1`).test(`${long}1`)).toBe(true);
  });

  it('that is escaped matches that text, and no other', () => {
    fc.assert(
      fc.property(text, text, (typed, other) => {
        const regExp = globToRegExp(escapePattern(typed));
        expect(regExp.test(typed)).toBe(true);
        expect(regExp.test(other)).toBe(other === typed);
      }),
    );
  });
});
