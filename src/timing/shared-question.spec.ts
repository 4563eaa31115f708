import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SharedQuestion, type SharedQuestionOptions } from './shared-question.js';

/** A question that is answered by hand. */
function byHand(options: Partial<SharedQuestionOptions<number>> = {}) {
  const asked: { answer: (value: number) => void; fail: () => void }[] = [];
  const ask = (): Promise<number> =>
    new Promise((answer, reject) => asked.push({ answer, fail: () => reject(new Error('lost')) }));
  return { asked, question: new SharedQuestion({ ask, keepFor: 60_000, ...options }) };
}

describe('SharedQuestion', () => {
  it('is asked once for all who want to know meanwhile, and again when the answer is old', async () => {
    let count = 0;
    const ask = (): Promise<number> => Promise.resolve(++count);
    const kept = new SharedQuestion({ ask, keepFor: 60_000 });
    expect(await Promise.all([kept.answer(5_000), kept.answer(5_000)])).toEqual([1, 1]);
    expect(await kept.answer(5_000)).toBe(1);
    const anew = new SharedQuestion({ ask, keepFor: 0 });
    expect(await Promise.all([anew.answer(5_000), anew.answer(5_000)])).toEqual([2, 2]);
    expect(await anew.answer(5_000)).toBe(3);
  });

  it('is not asked again before the reply, which counts the time from the moment of asking', async () => {
    const { asked, question } = byHand();
    expect(await question.answer(20)).toBeUndefined();
    const late = Array.from({ length: 100 }, () => question.answer(20));
    // Nobody waits for a silence that is known: with timers of their own, these were not done in this turn.
    expect(await Promise.race([Promise.all(late), sleep(5_000, undefined, { ref: false })])).toEqual(
      late.map(() => undefined),
    );
    expect(asked).toHaveLength(1);
    asked[0]!.answer(7);
    expect(await question.answer(5_000)).toBe(7);
    expect(asked).toHaveLength(1);
  });

  it('is asked again after a silence that is too long, whose late answer counts for nothing', async () => {
    const { asked, question } = byHand({ askAgainAfter: 30 });
    expect(await question.answer(5)).toBeUndefined();
    await sleep(40);
    const second = question.answer(5_000);
    expect(asked).toHaveLength(2);
    asked[0]!.answer(1);
    asked[1]!.answer(2);
    expect(await second).toBe(2);
    expect(await question.answer(5_000)).toBe(2);
  });

  it('has no answer where asking fails, at once or later, and keeps that, too', async () => {
    let count = 0;
    const failures = [() => Promise.reject(new Error('lost')), () => Promise.resolve(3)];
    const ask = (): Promise<number> => {
      if (count++ === 0) throw new Error('no connection');
      return failures.shift()!();
    };
    const question = new SharedQuestion({ ask, keepFor: 60_000 });
    expect([await question.answer(5_000), await question.answer(5_000), count]).toEqual([
      undefined,
      undefined,
      1,
    ]);
    question.forget();
    expect(await question.answer(5_000)).toBeUndefined();
    question.forget();
    expect([await question.answer(5_000), count]).toEqual([3, 3]);
  });

  it('keeps that for a second at most', async () => {
    let count = 0;
    const ask = () => (count++ === 0 ? Promise.reject(new Error('lost')) : Promise.resolve(2));
    const question = new SharedQuestion({ ask, keepFor: 60_000 });
    expect(await question.answer(5_000)).toBeUndefined();
    await sleep(1_100);
    expect(await question.answer(5_000)).toBe(2);
  });

  it('answers nothing while there is nobody to ask, whatever is kept', async () => {
    let isOpen = true;
    const question = new SharedQuestion({ ask: async () => 1, keepFor: 60_000, isOpen: () => isOpen });
    expect(await question.answer(5_000)).toBe(1);
    isOpen = false;
    expect(await question.answer(5_000)).toBeUndefined();
    isOpen = true;
    expect(await question.answer(5_000)).toBe(1);
  });

  it('forgets what was asked before a change, and does not keep its answer', async () => {
    const { asked, question } = byHand();
    const before = question.answer(5_000);
    question.forget();
    const after = question.answer(5_000);
    asked[0]!.answer(1);
    expect(await before).toBe(1);
    asked[1]!.answer(2);
    expect(await after).toBe(2);
    expect(await question.answer(5_000)).toBe(2);
    expect(asked).toHaveLength(2);
  });

  it('takes an answer that is there, unread, when the time is over', async () => {
    const ask = async (): Promise<number> => {
      await new Promise((resolve) => setImmediate(resolve));
      return 1;
    };
    const question = new SharedQuestion({ ask, keepFor: 0 });
    const answer = question.answer(1);
    const until = performance.now() + 20;
    while (performance.now() < until); // a long turn: the timer is due before the answer is read
    expect(await answer).toBe(1);
  });
});
