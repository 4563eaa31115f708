import { describe, expect, it } from '@jest/globals';
import { PendingInvalidations, type Invalidation } from './pending-invalidations.js';

const remove = (key: string): Invalidation => ({ key, kind: 'remove' });
const EVERYTHING: Invalidation = { key: 'g', kind: 'stamp' };

const all = () => true;
const keysOf = (pending: PendingInvalidations) => pending.list().map(({ key }) => key);

describe('invalidations that wait', () => {
  it('are there until they are confirmed', () => {
    const pending = new PendingInvalidations(10, () => []);
    const [a, b] = [remove('a'), remove('b')];
    pending.add([a, b]);
    expect(pending.size).toBe(2);
    expect(pending.has('a')).toBe(true);
    pending.confirm([a]);
    expect(pending.has('a')).toBe(false);
    expect(keysOf(pending)).toEqual(['b']);
  });

  it('stay where they were asked for again before the first was confirmed', () => {
    const pending = new PendingInvalidations(10, () => []);
    const first = remove('a');
    pending.add([first]);
    pending.add([remove('a')]);
    pending.confirm([first]);
    expect(keysOf(pending)).toEqual(['a']);
  });

  it('give way to one of everything where there are more than are kept', () => {
    const pending = new PendingInvalidations(2, () => [EVERYTHING]);
    pending.add([remove('a'), remove('b')]);
    expect(keysOf(pending)).toEqual(['a', 'b']);
    pending.add([remove('c')]);
    expect(pending.list()).toEqual([EVERYTHING]);
    pending.add([remove('d')]);
    expect(keysOf(pending)).toEqual(['g', 'd']);
  });

  it('are done again when a failover may have lost them, once, and only those of the master', () => {
    const pending = new PendingInvalidations(10, () => []);
    const done = ['a', 'b', 'c'].map(remove);
    pending.add(done);
    pending.confirm(done);
    pending.add([remove('c')]);
    pending.restore(({ key }) => key !== 'b');
    expect(keysOf(pending)).toEqual(['c', 'a']);
    pending.restore(all);
    expect(keysOf(pending)).toEqual(['c', 'a', 'b']);
    expect(pending.hasAny()).toBe(true);
  });

  it('are forgotten as confirmed ones where there are many', () => {
    const pending = new PendingInvalidations(3, () => [EVERYTHING]);
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const invalidation = remove(key);
      pending.add([invalidation]);
      pending.confirm([invalidation]);
    }
    pending.restore(all);
    expect(keysOf(pending)).toEqual(['c', 'd', 'e']);
  });
});
