import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { hashSlot } from '../../redis/index.js';
import { Shard } from '../coherence/shard.js';
import { ReadBatch } from './read-batch.js';
import { Reader } from './reader.js';

const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`);

/** A reader whose server never answers. */
function startReader(): { reader: Reader; shard: Shard } {
  const shard = new Shard('');
  const hooks = {
    read: () => undefined,
    shardOf: () => shard,
    rolledBack: () => undefined,
    perCommand: () => 500,
  };
  return { reader: new Reader(500, hooks), shard };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('changes while much is being read', () => {
  it.each<[string, (key: string) => number]>([
    ['on a Cluster', hashSlot],
    ['on one server', () => 0],
  ])('are told to those that read the keys, and to few others: %s', (_, slotOf) => {
    const { reader } = startReader();
    const readings = keys.map((key) => {
      const batch = reader.batch(slotOf(key));
      return { batch, position: batch.add('', key) };
    });
    const told = jest.spyOn(ReadBatch.prototype, 'change');
    const [changed, others] = [keys.slice(0, 500), keys.slice(500)];
    reader.change(changed);
    expect(told.mock.calls.length).toBeLessThanOrEqual(changed.length * 2);
    const isUsable = (key: string) => {
      const { batch, position } = readings[keys.indexOf(key)]!;
      return batch.isUsable(position);
    };
    expect(changed.filter(isUsable)).toEqual([]);
    expect(others.filter(isUsable)).toEqual(others);
  });

  it('concern what was asked for before, and not what is asked for after them in the same turn', () => {
    const { reader } = startReader();
    const batch = reader.batch(0);
    const early = [batch.add('', 'a'), batch.add('', 'b')];
    reader.change(['b', 'c']);
    expect(early.map((position) => batch.isUsable(position))).toEqual([true, false]);
    expect(batch.isUsable(batch.add('', 'c'))).toBe(true);
    expect(batch.isUsable(batch.add('', 'b'))).toBe(false);
  });

  it('that this turn writes come before what is asked for after them', () => {
    const { reader } = startReader();
    const [batch, other] = [reader.batch(0), reader.batch(1)];
    reader.close(0);
    expect(reader.batch(0)).not.toBe(batch);
    expect(reader.batch(1)).toBe(other);
  });

  it('are told also where a key is asked for many times, which is read once', () => {
    const { reader } = startReader();
    const batch = reader.batch(0);
    const positions = ['a', 'a', 'b', 'a', 'b'].map((key) => batch.add('city:', key));
    expect(positions).toEqual([0, 0, 1, 0, 1]);
    expect(batch.keys).toEqual(['city:a', 'city:b']);
    expect(batch.add('person:', 'a')).toBe(2);
  });
});
