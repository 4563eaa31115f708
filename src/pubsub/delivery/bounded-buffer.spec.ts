import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Envelope } from '../events/envelope.js';
import { BoundedBuffer } from './bounded-buffer.js';
import type { Received } from './receiver.js';

const envelope: Envelope = { id: '', topic: 'a', v: 1, at: 0, from: '', data: undefined };

const received = (event: number): Received => ({ event, envelope, isOwn: false, isLocal: false });

/** What it should hold, as an array. */
function pushTo(model: number[], event: number, limit: number, overflow: string): boolean {
  const isFull = model.length >= limit;
  if (isFull && overflow === 'drop-newest') return false;
  if (isFull && overflow === 'drop-oldest') model.shift();
  model.push(event);
  return !isFull || overflow === 'wait';
}

describe('BoundedBuffer', () => {
  it('holds what its policy says, in order, whatever comes and goes', () => {
    const policies = fc.constantFrom('drop-oldest' as const, 'drop-newest' as const, 'wait' as const);
    // More comes than goes at first, and less later.
    const steps = fc.array(fc.integer({ min: -120, max: 120 }), { maxLength: 30 });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 200 }), steps, (overflow, limit, counts) => {
        const buffer = new BoundedBuffer({ buffer: limit, overflow });
        const model: number[] = [];
        let next = 0;
        for (const count of counts) {
          for (let i = 0; i < count; i++, next++)
            expect(buffer.push(received(next))).toBe(pushTo(model, next, limit, overflow));
          for (let i = 0; i > count; i--) expect(buffer.shift()?.event).toBe(model.shift());
          expect([buffer.size, buffer.first?.event]).toEqual([model.length, model[0]]);
          expect(buffer.isFull).toBe(model.length >= limit);
        }
        while (model.length > 0) expect(buffer.shift()?.event).toBe(model.shift());
        expect(buffer.shift()).toBeUndefined();
      }),
    );
  });
});
