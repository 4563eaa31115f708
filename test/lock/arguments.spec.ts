import { describe, expect, it } from '@jest/globals';
import { LockConfigurationError, type LockOptions } from 'rednest';
import { Applications, refused } from './fixtures/model-applications.js';

const applications = new Applications();

describe('what is wrong', () => {
  it.each([
    [{ ttl: '5 seconds' }, /ttl: '5 seconds' is not a duration/],
    [{ ttl: 49 }, /ttl: is 49 ms; the shortest is 50 ms/],
    [{ ttl: 0 }, /ttl: 0 is not more than 0 ms/],
    [{ ttl: -1 }, /ttl: -1 is not a duration/],
    [{ ttl: Infinity }, /ttl: Infinity is not a duration/],
    [{ ttl: '30d' }, /ttl: '30d' is more than/],
    [{ wait: 'long' }, /wait: 'long' is not a duration/],
    [{ wait: -1 }, /wait: -1 is not a duration/],
    [{ wait: NaN }, /wait: NaN is not a duration/],
    [{ wait: null }, /wait: null is not a duration/],
    [{ renew: 'no' }, /renew: 'no' is not true or false/],
    [{ reentrant: 1 }, /reentrant: 1 is not true or false/],
    [{ signal: {} }, /signal: an object is not an AbortSignal/],
    [{ atMostFor: 'x' }, /atMostFor: 'x' is not a duration/],
    [{ atMostFor: 0 }, /atMostFor: 0 is not more than 0 ms/],
    [{ atMostFor: 49 }, /atMostFor: is 49 ms; the shortest is 50 ms/],
    [{ atLeastFor: true }, /atLeastFor: true is not a duration/],
    [{ atMostFor: '1s', atLeastFor: '2s' }, /atLeastFor: is 2000 ms, more than atMostFor \(1000 ms\)/],
    [{ tll: '1s' }, /tll: is not an option of rednest; did you mean ttl\?/],
    [{ reentrent: true }, /reentrent: is not an option of rednest; did you mean reentrant\?/],
    ['1s', /options: '1s' is not an object of options/],
    [[], /options: .* is not an object of options/],
  ])('is told of options %p', async (options, message) => {
    const locks = await applications.open();
    const name = applications.name();
    const hasWait = typeof options === 'object' && 'wait' in options;
    const calls = [
      locks.acquire(name, options as never),
      locks.using(name, options as never, () => 1),
      ...(hasWait ? [] : [locks.tryAcquire(name, options as never)]),
    ];
    for (const call of calls) {
      const error = await refused(call);
      expect(error).toBeInstanceOf(LockConfigurationError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toContain(name);
    }
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it('is told that tryAcquire does not wait', async () => {
    const locks = await applications.open();
    for (const wait of ['2s', 0, 'x']) {
      // @ts-expect-error: it has no such option
      const error = await refused(locks.tryAcquire(applications.name(), { wait }));
      expect(error).toBeInstanceOf(LockConfigurationError);
      expect((error as Error).message).toMatch(/wait: is not an option/);
    }
    const options: LockOptions = { wait: '2s' };
    // @ts-expect-error: what is made for acquire() may have it
    await expect(locks.lock('a').tryAcquire(options)).rejects.toThrow(LockConfigurationError);
    const { wait: _, ...others } = options;
    expect(await locks.tryAcquire(applications.name(), { ...others, ttl: '1s' })).toBeDefined();
  });

  it('is told all at once', async () => {
    const locks = await applications.open();
    const error = await refused(locks.acquire('a', { ttl: 'x', wait: 'y', renew: 0, signals: 1 } as never));
    const { problems } = error as LockConfigurationError;
    expect(problems.map(({ option }) => option).toSorted()).toEqual(['renew', 'signals', 'ttl', 'wait']);
  });

  it.each([
    [''],
    ['   '],
    [['a', ' ']],
    [undefined],
    [null],
    [5],
    [{}],
    [[]],
    [['a', '']],
    [['a', 5]],
    [[['a']]],
  ])('is told of %p as a name, by a rejection', async (name) => {
    const locks = await applications.open();
    for (const call of [
      () => locks.acquire(name as never),
      () => locks.tryAcquire(name as never),
      () => locks.using(name as never, () => 1),
    ]) {
      let pending: Promise<unknown> | undefined;
      expect(() => (pending = call())).not.toThrow();
      expect(await refused(pending!)).toBeInstanceOf(LockConfigurationError);
    }
    expect(() => locks.lock(name as never)).toThrow(LockConfigurationError);
    if (Array.isArray(name)) return;
    expect(() => locks.semaphore(name as never, 1)).toThrow(/name: .* is not a text/);
    expect(() => locks.readWrite(name as never)).toThrow(/name: .* is not a text/);
  });

  it.each([0, -1, 1.5, '3', NaN, Infinity, undefined, 1_000_001])(
    'is told of %p permits',
    async (permits) => {
      const locks = await applications.open();
      expect(() => locks.semaphore('a', permits as never)).toThrow(LockConfigurationError);
      expect(() => locks.semaphore('a', permits as never)).toThrow(/permits: .* is not an integer of 1 to/);
    },
  );

  it('is told of a routine that is none, before anything is held', async () => {
    const locks = await applications.open();
    for (const call of [locks.using('a', {}, undefined as never), locks.using('a', {} as never)])
      await expect(call).rejects.toThrow(/routine: undefined is not a function to run under the lock/);
  });
});
