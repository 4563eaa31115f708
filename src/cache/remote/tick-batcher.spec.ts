import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { AWAY } from './away.js';
import { TickBatcher } from './tick-batcher.js';

const requests = (count: number, slot = 0) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index}`, slot }));

function recorder(limit: number, fails = false) {
  const sent: string[][] = [];
  const batcher = new TickBatcher<{ key: string; slot: number }, string>(limit, async (batch) => {
    sent.push(batch.map(({ key, slot }) => `${slot}:${key}`));
    return fails ? AWAY : batch.map(({ key }) => key.toUpperCase());
  });
  return { sent, batcher };
}

describe('what is asked for in one turn', () => {
  it('is sent together, and each is given its own reply', async () => {
    const { sent, batcher } = recorder(10);
    const replies = await Promise.all(requests(3).map((request) => batcher.add(request)));
    expect(replies).toEqual(['K0', 'K1', 'K2']);
    expect(sent).toEqual([['0:k0', '0:k1', '0:k2']]);
  });

  it('is sent apart for each slot, and where there is too much of it', async () => {
    const { sent, batcher } = recorder(2);
    const both = [...requests(5), ...requests(1, 7)];
    const replies = await Promise.all(both.map((request) => batcher.add(request)));
    expect(replies).toEqual(['K0', 'K1', 'K2', 'K3', 'K4', 'K0']);
    expect(sent).toEqual([['0:k0', '0:k1'], ['0:k2', '0:k3'], ['0:k4'], ['7:k0']]);
  });

  it('is sent before the turn ends, and the next turn’s by itself', async () => {
    const { sent, batcher } = recorder(10);
    const first = batcher.add(requests(1)[0]!);
    await turn();
    expect(sent).toHaveLength(1);
    await Promise.all([first, batcher.add(requests(1)[0]!)]);
    expect(sent).toHaveLength(2);
  });

  it('is sent apart where it is large', async () => {
    const sent: string[][] = [];
    const batcher = new TickBatcher<{ key: string; slot: number; size: number }, string>(
      10,
      async (batch) => {
        sent.push(batch.map(({ key }) => key));
        return batch.map(({ key }) => key);
      },
      ({ size }) => size,
    );
    const sizes = [400_000, 600_000, 100_000, 3_000_000, 1_000, 1_000];
    const keys = sizes.map((size, index) => ({ key: `k${index}`, slot: 0, size }));
    expect(await Promise.all(keys.map((request) => batcher.add(request)))).toEqual(
      keys.map(({ key }) => key),
    );
    expect(sent).toEqual([['k0', 'k1'], ['k2'], ['k3'], ['k4', 'k5']]);
  });

  it('is all answered where Redis is away', async () => {
    const { batcher } = recorder(10, true);
    expect(await Promise.all(requests(2).map((request) => batcher.add(request)))).toEqual([AWAY, AWAY]);
  });
});
