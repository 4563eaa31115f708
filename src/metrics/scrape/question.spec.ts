import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Question } from './question.js';

const never = (): Promise<number> => new Promise(() => undefined);

/** Answers with how often it was asked. */
function counting(cacheFor: number) {
  let asked = 0;
  const ask = (): Promise<number> => Promise.resolve(++asked);
  return new Question({ ask, cacheFor, timeout: 1_000 });
}

describe('Question', () => {
  it('is asked once for all that ask meanwhile, and again when the answer is old', async () => {
    const cached = counting(60_000);
    expect(await Promise.all([cached.ask(), cached.ask()])).toEqual([1, 1]);
    expect(await cached.ask()).toBe(1);
    const anew = counting(0);
    expect(await Promise.all([anew.ask(), anew.ask()])).toEqual([1, 1]);
    await sleep(5);
    expect(await anew.ask()).toBe(2);
  });

  it('is not asked again before it was answered, and a late answer is used', async () => {
    let asked = 0;
    let answer: (value: number) => void = () => undefined;
    const ask = (): Promise<number> => {
      asked++;
      return new Promise((resolve) => (answer = resolve));
    };
    const question = new Question({ ask, cacheFor: 60_000, timeout: 20 });
    expect(await question.ask()).toBeUndefined();
    expect(await question.ask()).toBeUndefined();
    expect(asked).toBe(1);
    answer(7);
    expect(await question.ask()).toBe(7);
    expect(asked).toBe(1);
  });

  it('has no answer where it fails, at once or later, and is asked again', async () => {
    const failures: (() => Promise<number>)[] = [
      () => {
        throw new Error('no connection');
      },
      () => Promise.reject(new Error('lost')),
      () => Promise.resolve(3),
    ];
    const question = new Question({ ask: () => failures.shift()!(), cacheFor: 1_000, timeout: 1_000 });
    expect([await question.ask(), await question.ask(), await question.ask()]).toEqual([
      undefined,
      undefined,
      3,
    ]);
  });

  it('is not asked while there is nobody to ask, and what was answered counts until it is old', async () => {
    let isOpen = true;
    const answers = [() => Promise.resolve(1), never];
    const options = { ask: () => answers.shift()!(), isOpen: () => isOpen, timeout: 1 };
    const question = new Question({ ...options, cacheFor: 30 });
    expect(await question.ask()).toBe(1);
    isOpen = false;
    expect(await question.ask()).toBe(1);
    await sleep(40);
    expect(await question.ask()).toBeUndefined();
    expect(answers).toHaveLength(1);
  });
});
