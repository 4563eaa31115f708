import { expect, it } from '@jest/globals';
import { GroupInUseError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST } from './fixtures/groups.js';

const applications = new BusApplications();

it('a group is removed for good, with all that is kept of it, when it has no consumers', async () => {
  const { bus } = await applications.start([], { options: FAST });
  const handled: unknown[] = [];
  const options = { group: 'workers', once: true, retries: 3 } as const;
  const handle = (event: unknown) => {
    if (handled.push(event) === 1) throw new Error('no');
  };
  const subscription = await bus.subscribe('plain', handle, options);
  await bus.publish('plain', { turn: 0 });
  await eventually(() => handled.length === 2);
  await expect(bus.removeGroup('plain', 'workers')).rejects.toThrow(GroupInUseError);
  await expect(bus.removeGroup('plain', 'workers')).rejects.toMatchObject({
    topic: 'plain',
    group: 'workers',
    consumers: 1,
  });
  await subscription.close();
  expect((await bus.stats()).groups).toMatchObject([{ group: 'workers' }]);
  expect(await bus.removeGroup('plain', 'workers')).toBe(true);
  expect((await bus.stats()).groups).toEqual([]);
  const redis = await applications.server.admin();
  const prefix = `${applications.namespace}:{plain}`;
  const keys = await redis.keys(`${applications.namespace}:*`);
  expect(keys.toSorted()).toEqual([`${prefix}:0`, `${prefix}:1`, `${prefix}:partitions`]);
  expect(await bus.removeGroup('plain', 'workers')).toBe(false);
  expect(await bus.removeGroup('never.published', 'workers')).toBe(false);
});
