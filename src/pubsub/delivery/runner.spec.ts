import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BusEventPublisher } from '../bus-events.js';
import type { Envelope } from '../events/envelope.js';
import { EventContext } from './event-context.js';
import type { EventHandler } from './event-handler.js';
import { Runner } from './runner.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log']));

const ENVELOPE: Envelope = { id: '1', topic: 'a', v: 1, at: 0, from: 'here', data: 1 };

const run = async (handler: EventHandler, timeout: number): Promise<boolean> => {
  const runner = new Runner(handler, { name: 'a', timeout, concurrency: 1 }, new BusEventPublisher('c', 'n'));
  const arrival = { delivery: 'local', attempt: 1, isOwn: true } as const;
  return (await runner.run(1, new EventContext(ENVELOPE, arrival))) === undefined;
};

const broken = (): never => {
  throw new Error('broken');
};

/** The target, with a `then` of its own. */
const withThen = (descriptor: PropertyDescriptor, target: object = {}): object =>
  // oxlint-disable-next-line unicorn/no-thenable -- handlers may give any
  Object.defineProperty(target, 'then', descriptor);

class Demanding extends Promise<void> {
  constructor(executor: (resolve: () => void, reject: (error: unknown) => void) => void, name: string) {
    super(executor);
    if (!name) throw new Error('no name');
  }
}

type Settle = (value?: unknown) => void;

it.each<[string, boolean, EventHandler]>([
  ['a promise', true, async () => undefined],
  ['an object', true, () => ({})],
  [
    'what throws an object without a prototype',
    false,
    () => {
      throw Object.create(null);
    },
  ],
  [
    'what rejects with one',
    false,
    async () => {
      throw Object.create(null);
    },
  ],
  [
    'what throws a proxy',
    false,
    () => {
      throw new Proxy({}, { get: broken, getPrototypeOf: broken });
    },
  ],
  ['a getter that throws', false, () => withThen({ get: broken })],
  ['a then that throws', false, () => withThen({ value: broken })],
  [
    'a then that throws after it has settled',
    true,
    () =>
      withThen({
        value: (done: Settle) => {
          done();
          broken();
        },
      }),
  ],
  [
    'a then that settles twice',
    true,
    () =>
      withThen({
        value: (done: Settle, fail: Settle) => {
          done();
          done();
          fail(1);
        },
      }),
  ],
  ['a promise with a then of its own', false, () => withThen({ value: broken }, Promise.resolve())],
  ['a promise of a class that cannot be derived', false, () => new Demanding((done) => done(), 'a')],
  ['a proxy of a promise', false, () => new Proxy(Promise.resolve(), {})],
])('neither throws nor rejects: %s', async (_, isHandled, handler) => {
  for (const timeout of [Infinity, 60_000]) expect(await run(handler, timeout)).toBe(isHandled);
});
