import { describe, expect, it } from '@jest/globals';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import {
  checkWorkOptions,
  resolveFilter,
  resolveListOptions,
  resolveSelection,
} from './resolve-selection.js';

const unset: string | undefined = undefined;

describe('a selection of dead letters', () => {
  it.each<[which: unknown, selection: unknown]>([
    ['all', { filter: {} }],
    [{ group: 'ranking' }, { filter: { group: 'ranking' } }],
    [{ group: null, reason: 'invalid' }, { filter: { group: null, reason: 'invalid' } }],
    [{ id: '1-1', group: undefined, data: {} }, { ids: ['1-1'] }],
    [[{ id: '1-1' }, { id: '2-0' }], { ids: ['1-1', '2-0'] }],
    [[], { ids: [] }],
  ])('may be %j', (which, selection) => {
    expect(resolveSelection('drop', which)).toEqual(selection);
  });

  it.each<[which: unknown, problem: RegExp]>([
    [{ group: unset }, /group: is undefined/],
    [{ reason: 'invalid', group: unset }, /group: is undefined/],
    [{}, /'all'/],
    [undefined, /undefined is not a letter/],
    [null, /null is not a letter/],
    ['1-1', /'1-1' is not a letter/],
    [{ id: unset }, /id: undefined is not/],
    [[{ id: '1-1' }, { id: 'one' }], /'one' is not the id/],
    [['1-1'], /is not the id/],
    [{ grup: 'ranking' }, /grup.*group/],
    [{ group: 7, reason: 'late' }, /reason: [^]*group: /],
    [{ group: '' }, /group/],
  ])('is never all of them by mistake: %j', (which, problem) => {
    const resolve = () => resolveSelection('DeadLetters.drop', which);
    expect(resolve).toThrow(PubSubConfigurationError);
    expect(resolve).toThrow(problem);
  });
});

describe('options of a call', () => {
  it('are all of them where nothing is said', () => {
    expect(resolveFilter('count', {})).toEqual({});
    expect(resolveListOptions('list', {})).toEqual({ filter: {}, limit: Infinity, after: undefined });
  });

  it('are checked', () => {
    expect(() => resolveFilter('count', { reason: unset })).toThrow(/reason: is undefined/);
    for (const [options, problem] of [
      [{ group: unset }, /group: is undefined/],
      [{ limit: -1 }, /limit: -1/],
      [{ after: 'one' }, /after: 'one'/],
      [{ id: '1-1' }, /id/],
    ] as const)
      expect(() => resolveListOptions('list', options)).toThrow(problem);
    expect(() => checkWorkOptions('drop', { onProgress: 7 })).toThrow(/onProgress: 7/);
  });
});
