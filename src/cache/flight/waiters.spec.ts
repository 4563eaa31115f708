import { describe, expect, it } from '@jest/globals';
import { Waiters, type Lookout } from './waiters.js';

const LONG = 60_000;

/** The names of those that are woken by what `wake` does. */
async function wokenBy(lookouts: Record<string, Lookout>, wake: () => void): Promise<string[]> {
  const woken: string[] = [];
  const waits = Object.entries(lookouts).map(async ([name, lookout]) => {
    await lookout.wait(LONG);
    woken.push(name);
  });
  wake();
  await new Promise(setImmediate);
  const seen = woken.toSorted();
  for (const lookout of Object.values(lookouts)) lookout.wake();
  await Promise.all(waits);
  return seen;
}

describe('who waits for a key', () => {
  it('is woken by a change of it, and by no other', async () => {
    const waiters = new Waiters();
    const [a, again, b] = [waiters.lookOut('a'), waiters.lookOut('a'), waiters.lookOut('b')];
    expect(await wokenBy({ a, again, b }, () => waiters.wake('a'))).toEqual(['a', 'again']);
  });

  it('is woken whichever of the others have ended', async () => {
    for (const ended of [0, 1, 2]) {
      const waiters = new Waiters();
      const three = [waiters.lookOut('a'), waiters.lookOut('a'), waiters.lookOut('a')];
      waiters.end(three[ended]!);
      const left = three.filter((_, position) => position !== ended);
      const names = Object.fromEntries(left.map((lookout, position) => [`${position}`, lookout]));
      expect(await wokenBy(names, () => waiters.wakeAll())).toEqual(['0', '1']);
    }
  });

  it('need not wait for a change that came before', async () => {
    const waiters = new Waiters();
    const lookout = waiters.lookOut('a');
    waiters.wake('a');
    await lookout.wait(LONG);
  });

  it('waits no longer than it is told to', async () => {
    await new Waiters().lookOut('a').wait(1);
  });
});
