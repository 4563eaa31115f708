import { expect, it } from '@jest/globals';
import { describeError, messageOf, traceOf } from './describe-error.js';

const broken = (): never => {
  throw new Error('broken');
};

it('tells what an error says', () => {
  const error = new TypeError('wrong');
  expect([describeError(error), messageOf(error), traceOf(error)]).toEqual([
    'TypeError: wrong',
    'wrong',
    error.stack,
  ]);
  expect([describeError('text'), messageOf(undefined), traceOf(Symbol('a'))]).toEqual([
    'text',
    'undefined',
    'Symbol(a)',
  ]);
});

it.each<[string, () => unknown]>([
  ['an object without a prototype', () => Object.create(null)],
  ['an object whose text is none', () => ({ toString: broken })],
  [
    'an error whose message is none',
    () => Object.assign(new Error(), { message: Object.create(null), stack: {} }),
  ],
  [
    'an error with getters',
    () => Object.create(Error.prototype, { message: { get: broken }, stack: { get: broken } }),
  ],
  ['a proxy', () => new Proxy(new Error(), { get: broken, getPrototypeOf: broken })],
])('never throws: %s', (_, thrown) => {
  for (const tell of [describeError, messageOf, traceOf]) expect(typeof tell(thrown())).toBe('string');
});
