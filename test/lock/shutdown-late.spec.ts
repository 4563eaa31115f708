import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockCancelledError, type LockService } from 'rednest';
import { Applications, refused } from './fixtures/model-applications.js';

const applications = new Applications();

/** Acquires and releases, again and again, whatever happens. */
class Loop {
  refusal: unknown;
  #isOver = false;
  readonly #running: Promise<void>;

  constructor(locks: LockService, names: readonly string[]) {
    this.#running = this.#run(locks, names);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(locks: LockService, names: readonly string[]): Promise<void> {
    while (!this.#isOver) {
      try {
        await using _ = await locks.acquire(names);
        await sleep(1);
      } catch (error) {
        this.refusal = error;
        await sleep(1);
      }
    }
  }
}

describe('an application that is shut down', () => {
  it('leaves nothing behind that goes on acquiring', async () => {
    const other = await applications.open();
    const { app, locks } = await applications.start();
    const [a, b, c] = [applications.name(), applications.name(), applications.name()];
    const loops = [new Loop(locks, [a]), new Loop(locks, [b, c]), new Loop(locks, [applications.name()])];
    await sleep(50);
    await app.close();
    for (const name of [a, b, c]) expect((await other.inspect(name)).holders).toEqual([]);
    await sleep(20);
    for (const loop of loops) {
      await loop.end();
      expect(loop.refusal).toBeInstanceOf(LockCancelledError);
    }
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it('refuses from then on, with the reason', async () => {
    const { app, locks } = await applications.start();
    await app.close();
    const name = applications.name();
    const calls = [
      locks.acquire(name),
      locks.tryAcquire(name),
      locks.acquire([name, applications.name()]),
      locks.using(name, () => 1),
      locks.semaphore(name, 2).acquire(),
    ];
    for (const call of calls) {
      const error = await refused(call);
      expect(error).toBeInstanceOf(LockCancelledError);
      expect((error as LockCancelledError).cause).toMatchObject({ message: expect.stringMatching(/shut/) });
    }
  });
});
