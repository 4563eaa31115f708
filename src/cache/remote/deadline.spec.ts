import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Deadline, Deadlines } from './deadline.js';
import { Meter } from './meter.js';

const BUDGET = 40;
const meter = new Meter(() => ({ read: 0, sent: 0, queued: 0 }));

function begin(deadlines: Deadlines, expired: () => void): Deadline {
  const now = performance.now();
  const deadline = new Deadline(meter.begin(0, now), expired);
  deadlines.set(deadline, now);
  return deadline;
}

/** As a long turn of the event loop does. */
function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

describe('Deadlines', () => {
  it('are over in their order, each after the whole budget; those that were cleared are not', async () => {
    const deadlines = new Deadlines(BUDGET, meter);
    const over: { name: number; after: number }[] = [];
    const open: Deadline[] = [];
    for (const name of [0, 1, 2, 3, 4]) {
      const from = performance.now();
      open.push(begin(deadlines, () => over.push({ name, after: performance.now() - from })));
      if (name === 1) expect(deadlines.clear(open[0]!)).toBe(true);
      await sleep(BUDGET / 4);
    }
    expect(deadlines.clear(open[3]!)).toBe(true);
    await expect(Promise.race([sleep(10_000, 'late', { ref: false }), untilOver(over, 3)])).resolves.toBe(3);
    expect(over.map(({ name }) => name)).toEqual([1, 2, 4]);
    for (const { after } of over) expect(after).toBeGreaterThanOrEqual(BUDGET - 1);
    expect(deadlines.clear(open[4]!)).toBe(false);
  });

  it('are not put off by what was answered before they began', async () => {
    const answering = new Meter(() => ({ read: 0, sent: 0, queued: 0 }));
    const deadlines = new Deadlines(BUDGET, answering);
    const now = performance.now();
    answering.answer(answering.begin(0, now));
    const over: boolean[] = [];
    const deadline = new Deadline(answering.begin(0, now), (isBusy) => over.push(isBusy));
    deadlines.set(deadline, now);
    await untilOver(over, 1);
    expect({ over, budgets: deadline.budgets }).toEqual({ over: [false], budgets: 0 });
  });

  it('are not over where what was waited for has arrived during a long turn of the event loop', async () => {
    const server = createServer((socket) =>
      socket.on('data', () => {
        socket.write('!');
        block(2 * BUDGET);
      }),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const deadlines = new Deadlines(BUDGET, meter);
    let isOver = false;
    for (let round = 0; round < 3; round++) {
      const answer = once(socket, 'data');
      const deadline = begin(deadlines, () => (isOver = true));
      socket.write('?');
      await answer;
      deadlines.clear(deadline);
    }
    socket.destroy();
    server.close();
    expect(isOver).toBe(false);
  });
});

async function untilOver(over: readonly unknown[], count: number): Promise<number> {
  while (over.length < count) await sleep(5);
  return over.length;
}
