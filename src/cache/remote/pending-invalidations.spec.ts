import { describe, expect, it } from '@jest/globals';
import { PendingInvalidations, type Invalidation } from './pending-invalidations.js';

const remove = (key: string): Invalidation => ({ key, kind: 'remove' });
const EVERYTHING: Invalidation = { key: 'g', kind: 'stamp' };
const all = () => true;
const keysOf = (pending: PendingInvalidations) => pending.list().map(({ key }) => key);

function postpone(pending: PendingInvalidations, ...invalidations: Invalidation[]): void {
  pending.begin(invalidations);
  for (const invalidation of invalidations) pending.postpone(invalidation);
}

function confirm(pending: PendingInvalidations, ...invalidations: Invalidation[]): void {
  pending.begin(invalidations);
  pending.confirm(invalidations);
}

describe('invalidations', () => {
  it('that are under way hide what they change until they are confirmed, and do not wait', () => {
    const pending = new PendingInvalidations(1, () => [EVERYTHING]);
    const [a, b] = [remove('a'), remove('b')];
    pending.begin([a, b]);
    expect([pending.has('a'), pending.has('b')]).toEqual([true, true]);
    expect(pending.size).toBe(0);
    expect(keysOf(pending)).toEqual([]);
    pending.confirm([a]);
    expect([pending.has('a'), pending.has('b')]).toEqual([false, true]);
  });

  it('that were not answered wait until they are confirmed, however late', () => {
    const pending = new PendingInvalidations(10, () => []);
    const [a, b] = [remove('a'), remove('b')];
    postpone(pending, a, b);
    expect(keysOf(pending)).toEqual(['a', 'b']);
    expect([pending.has('a'), pending.size]).toEqual([true, 2]);
    pending.confirm([a]);
    expect([pending.has('a'), pending.size]).toEqual([false, 1]);
    pending.postpone(a);
    expect(keysOf(pending)).toEqual(['b']);
  });

  it('that were asked for again are done by that', () => {
    const pending = new PendingInvalidations(10, () => []);
    const [first, second] = [remove('a'), remove('a')];
    postpone(pending, first);
    pending.begin([second]);
    expect([pending.has('a'), pending.size]).toEqual([true, 0]);
    pending.confirm([first]);
    pending.postpone(first);
    expect([pending.has('a'), pending.size]).toEqual([true, 0]);
    pending.postpone(second);
    expect(pending.list()).toEqual([second]);
  });

  it('give way to one of everything where more wait than are kept', () => {
    const pending = new PendingInvalidations(2, () => [EVERYTHING]);
    postpone(pending, remove('a'), remove('b'));
    expect(keysOf(pending)).toEqual(['a', 'b']);
    postpone(pending, remove('c'));
    expect(pending.list()).toEqual([EVERYTHING]);
    postpone(pending, remove('d'));
    expect(keysOf(pending)).toEqual(['g', 'd']);
  });
});

describe('invalidations that were confirmed lately', () => {
  it('are done again when a master that knew of them was lost, once, and do not count towards the limit', () => {
    const pending = new PendingInvalidations(3, () => [EVERYTHING]);
    confirm(pending, ...['a', 'b', 'c'].map(remove));
    postpone(pending, ...['c', 'd', 'e'].map(remove));
    pending.restore(({ key }) => key !== 'b');
    expect(keysOf(pending)).toEqual(['c', 'd', 'e', 'a']);
    pending.restore(all);
    expect(keysOf(pending)).toEqual(['c', 'd', 'e', 'a', 'b']);
    pending.restore(all);
    expect(pending.size).toBe(5);
  });

  it('are not done again where an entry has taken the place of what they would have removed', () => {
    const pending = new PendingInvalidations(3, () => [EVERYTHING]);
    const removal = remove('a');
    pending.begin([removal]);
    pending.settle(removal);
    pending.restore(all);
    expect([pending.has('a'), pending.hasAny()]).toEqual([false, false]);
  });

  it('are done again only where the master was lost soon after', () => {
    const pending = new PendingInvalidations(3, () => [EVERYTHING]);
    confirm(pending, remove('a'));
    pending.restore(all, performance.now() + 15_000);
    expect(keysOf(pending)).toEqual([]);
    pending.restore(all);
    expect(keysOf(pending)).toEqual(['a']);
  });

  it('are done again with everything else where there were too many to keep', () => {
    const pending = new PendingInvalidations(3, () => [EVERYTHING]);
    for (const key of ['a', 'b', 'c', 'd', 'e']) confirm(pending, remove(key));
    pending.restore(all);
    expect(keysOf(pending)).toEqual(['g', 'c', 'd', 'e']);
    confirm(pending, ...pending.list());
    pending.restore(({ key }) => key === 'c');
    expect(keysOf(pending)).not.toContain('a');
  });
});
