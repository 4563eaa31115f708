import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isPattern, isTopic, literalPrefix, matcher } from './topic.js';

const part = fc.stringMatching(/^[ab_-]{1,3}$/);
const topic = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const patternPart = fc.oneof(
  part,
  part.map((text) => `${text.slice(0, 1)}*`),
  fc.constant('*'),
);
const pattern = fc
  .tuple(fc.array(patternPart, { maxLength: 3 }), fc.constantFrom('*', '**', 'a*'))
  .map(([parts, last]) => [...parts, last].join('.'));

/** Part by part, as the guide says it. */
const matches = (parts: readonly string[], topicParts: readonly string[]): boolean => {
  const [first, ...others] = parts;
  const [text, ...texts] = topicParts;
  if (first === undefined || text === undefined) return first === text;
  if (first === '**') return true;
  const isRight = first.endsWith('*') ? text.startsWith(first.slice(0, -1)) : first === text;
  return isRight && matches(others, texts);
};

describe('topics and patterns', () => {
  it.each(['city', 'city.viewed', 'a.b.c', 'City_1.x-y', '0'])('%s is a topic', (text) => {
    expect(isTopic(text)).toBe(true);
    expect(isPattern(text)).toBe(false);
  });

  it.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'a:b', '{a}', 'ä', 'a\n', 'a/b', 5, null])(
    '%p is neither',
    (text) => {
      expect(isTopic(text)).toBe(false);
      expect(isPattern(text)).toBe(false);
    },
  );

  it.each(['*', '**', 'city.*', 'city.**', 'city*', '*.viewed', 'a.b*.c', '*.*', '*.**'])(
    '%s is a pattern',
    (text) => {
      expect(isPattern(text)).toBe(true);
      expect(isTopic(text)).toBe(false);
    },
  );

  it.each(['**.a', 'a.**.b', '***', 'a**', '*a', 'a*b', 'a.*b', '*.', '.*', 'a..*', 'a.*\n', '[a]*', '?*'])(
    '%p is no pattern',
    (text) => {
      expect(isPattern(text)).toBe(false);
      expect(() => matcher(text)).toThrow(TypeError);
    },
  );

  it.each([
    ['city.*', 'city.'],
    ['city*', 'city'],
    ['a.b.**', 'a.b.'],
    ['*', ''],
    ['a.b*.c', 'a.b'],
  ])('%s begins with %p', (text, prefix) => {
    expect(literalPrefix(text)).toBe(prefix);
  });

  it('a pattern stands for the topics that a reader would think', () => {
    const check = (glob: string, text: string): void => {
      const isMatch = matcher(glob)(text);
      expect(isMatch).toBe(matches(glob.split('.'), text.split('.')));
      if (isMatch) expect(text.startsWith(literalPrefix(glob))).toBe(true);
    };
    fc.assert(fc.property(pattern, topic, check), { numRuns: 2_000 });
  });

  it('takes no longer for what nearly matches', () => {
    const nearly = `${'a.'.repeat(20_000)}!`;
    expect(matcher(`${'*.'.repeat(200)}**`)(nearly)).toBe(false);
    expect(isTopic(nearly)).toBe(false);
    expect(isPattern(`${'a*.'.repeat(20_000)}!`)).toBe(false);
  });
});
