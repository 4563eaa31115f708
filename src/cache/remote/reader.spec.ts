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
    read: () => new Promise<never>(() => undefined),
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
    const batches = keys.map((key) => {
      const batch = reader.batch(slotOf(key));
      batch.add(key);
      return batch;
    });
    const told = jest.spyOn(ReadBatch.prototype, 'change');
    const [changed, others] = [keys.slice(0, 500), keys.slice(500)];
    reader.change(changed);
    expect(told.mock.calls.length).toBeLessThanOrEqual(changed.length * 2);
    const isUsable = (key: string) => batches[keys.indexOf(key)]!.isUsable(key);
    expect(changed.filter(isUsable)).toEqual([]);
    expect(others.filter(isUsable)).toEqual(others);
  });
});
