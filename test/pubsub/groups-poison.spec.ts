import { describe, expect, it } from '@jest/globals';
import type { DeadLetter, EventBus } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupProcess, GroupView, TOPIC } from './fixtures/groups.js';

const applications = new BusApplications();
const opened = new Opened();
const GROUP = 'workers';

const start = () => applications.start([], { options: FAST });
const view = async () => new GroupView(await applications.server.admin(), applications.namespace);

async function lettersOf(bus: EventBus): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of bus.deadLetters(TOPIC).list()) found.push(letter);
  return found;
}

describe('an event that ends the process of its handler', () => {
  it.each([0, 1])(
    'is dead after %d retries and two more; those that were handled beside it are not',
    async (retries) => {
      const { bus } = await start();
      const { namespace, server } = applications;
      const pubsub = { ...FAST, namespace, lease: '500ms' } as const;
      const options = {
        redis: server.options,
        pubsub,
        topic: TOPIC,
        group: { group: GROUP, retries, concurrency: 50 },
      };
      const keys = Array.from({ length: 10 }, (_, key) => `key-${key}`);
      for (const key of keys) await bus.publish(TOPIC, { key, turn: 0, hold: 50 });
      await bus.publish(TOPIC, { key: 'poison', turn: 99, kills: true });
      for (const key of keys) await bus.publish(TOPIC, { key, turn: 1 });
      const admin = await server.admin();
      let deaths = 0;
      // Each is there before the one before it ends.
      let next = opened.add(new GroupProcess());
      for (; ; deaths++) {
        const process = next;
        next = opened.add(new GroupProcess());
        const subscribed = process.subscribe(options).catch(() => undefined);
        const isOver = eventually(async () => (await lettersOf(bus)).length === 1, 30_000);
        const end = await Promise.race([process.script.end(), isOver.then(() => 'over' as const)]);
        if (end === 'over') {
          await subscribed;
          break;
        }
        void isOver.catch(() => undefined);
        expect(end.signal).toBe('SIGKILL');
      }
      expect(deaths).toBe(Math.max(retries, 1) + 2);
      for (const key of keys)
        await eventually(async () =>
          expect(await admin.lrange(`${namespace}:order:${key}`, 0, -1)).toEqual(['0', '1']),
        );
      expect(await lettersOf(bus)).toEqual([
        expect.objectContaining({ reason: 'failed', data: expect.objectContaining({ turn: 99 }) }),
      ]);
      await eventually(async () => (await (await view()).pending(GROUP)) === 0);
      expect(await (await view()).notes(GROUP)).toEqual([]);
    },
    60_000,
  );
});
