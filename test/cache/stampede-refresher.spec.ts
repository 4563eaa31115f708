import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { CacheProcess } from './fixtures/process-handle.js';

const CALLERS = 100;

/** How long the refreshed value is fresh, in milliseconds: beyond the end of the test. */
const TTL = 60_000;

const opened = new Opened();
const group = new ProcessGroup(3);
afterEach(() => group.close());
afterAll(() => group[Symbol.asyncDispose]());

describe('a process that refreshes a stale value', () => {
  it.each(['tracking', 'none'] as const)(
    'and is killed keeps nobody waiting, and another refreshes it once when its lease has ended: %s',
    async (coherence) => {
      const { options } = await opened.emptyServer();
      const [refresher, ...others] = (await group.open(options, {
        namespace: 'app',
        ttl: TTL,
        stale: '1m',
        lease: 600,
        budget: '5s',
        coherence,
        local: { maxAge: 100 },
      })) as [CacheProcess, ...CacheProcess[]];
      await refresher.call('set', 'city', 'old');
      for (const each of others) expect(await each.call('get', 'city')).toBe('old');
      await refresher.call('expire', 'city');
      await eventually(async () => {
        for (const each of others) expect(await each.call('get', 'city')).toBeUndefined();
      });
      void refresher.call('getOrSet', 'city').catch(() => 'killed');
      await group.run(0);
      await group.kill(refresher);

      // Nothing is given yet, so that whoever waited for a factory would never be answered.
      const asked = async () => {
        const storms = await Promise.all(others.map((each) => each.storm('city', CALLERS)));
        expect(storms.map(({ values, errors }) => [values, errors])).toEqual(others.map(() => [['old'], []]));
      };
      await asked();
      await eventually(async () => {
        await asked();
        return group.runs.length > 1;
      });
      await sleep(100);
      await asked();
      expect(group.runs).toHaveLength(2);
      const [, second] = group.runs;
      expect(others).toContain(second!.process);
      second!.give('new');
      for (const each of others)
        await eventually(async () => (await each.call('getOrSet', 'city')) === 'new');
      expect(group.runs).toHaveLength(2);
    },
    // Processes take long to start on a busy machine.
    60_000,
  );
});
