import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  EventInvalidError,
  EventTooLargeError,
  PubSubConfigurationError,
  pubsubChannel,
  type EventContext,
} from 'rednest';
import { subscribe as listen, unsubscribe as ignore } from 'node:diagnostics_channel';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CacheFilled, CityUpdated, CityViewed } from './fixtures/handled.js';

const applications = new BusApplications();

describe('EventBus.subscribe', () => {
  it('has events come until it is closed, and waits for those that have come', async () => {
    const { bus } = await applications.start();
    const seen: number[] = [];
    let go = (): void => undefined;
    const room = new Promise<void>((resolve) => (go = resolve));
    const subscription = await bus.subscribe(CityUpdated, async function watch({ city }) {
      await room;
      seen.push(city);
    });
    expect(subscription).toMatchObject({ name: 'watch', topic: 'city.updated' });
    const other: number[] = [];
    await using _ = await bus.subscribe(CityUpdated, ({ city }) => other.push(city));
    await bus.publish(new CityUpdated(1));
    await eventually(() => expect(other).toEqual([1]));
    const closing = subscription.close();
    expect(subscription.close()).toBe(closing);
    await bus.publish(new CityUpdated(2));
    go();
    await closing;
    await eventually(() => expect(other).toEqual([1, 2]));
    expect(seen).toEqual([1]);
  });

  it('is closed by its signal, and not made where that is aborted', async () => {
    const { bus } = await applications.start();
    const controller = new AbortController();
    let count = 0;
    const { signal } = controller;
    await bus.subscribe(CacheFilled, () => count++, { signal });
    await bus.publish(new CacheFilled(1));
    controller.abort();
    await bus.publish(new CacheFilled(2));
    expect(count).toBe(1);
    await expect(bus.subscribe(CacheFilled, () => count++, { signal })).rejects.toThrow(/aborted/);
  });

  it('has a group of a topic once, until that is closed', async () => {
    const { bus } = await applications.start();
    const seen: string[] = [];
    const handler = ({ city }: CityViewed, { group }: EventContext) => seen.push(`${group} ${city}`);
    const first = await bus.subscribe(CityViewed, handler, { group: 'a' });
    await bus.subscribe(CityViewed, handler, { group: 'b' });
    const again = () => bus.subscribe(CityViewed, handler, { group: 'a' });
    await expect(again()).rejects.toBeInstanceOf(PubSubConfigurationError);
    await bus.publish(new CityViewed(1));
    await eventually(() => expect(seen.toSorted()).toEqual(['a 1', 'b 1']), 10_000);
    await first.close();
    await again();
    await bus.publish(new CityViewed(2));
    await eventually(() => expect(seen.toSorted()).toEqual(['a 1', 'a 2', 'b 1', 'b 2']), 10_000);
  });

  it.each<[string, unknown, object, RegExp]>([
    ['a durable event without a group', CityViewed, {}, /group: .*delivery: 'broadcast'/],
    ['a group of what is not durable', CityUpdated, { group: 'a' }, /group: /],
    ['a wrong option', CityUpdated, { bufer: 1 }, /bufer: .*did you mean buffer/],
    ['a class without @Event', class Plain {}, {}, /@Event/],
    ['no topic', 'no topic', {}, /topic/],
    ['waiting for a local event', CacheFilled, { overflow: 'wait' }, /overflow: .*local/],
    ['leaving out all', CacheFilled, { skipOwn: true }, /skipOwn: .*local/],
    ['a signal that is none', CityUpdated, { signal: {} }, /signal: .*AbortSignal/],
  ])('refuses %s', async (_, subject, options, message) => {
    const { bus } = await applications.start();
    const error: unknown = await bus
      .subscribe(subject as typeof CityViewed, () => undefined, options)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PubSubConfigurationError);
    expect(String(error)).toMatch(message);
  });
});

describe('EventBus.stream', () => {
  it.each([
    ['a local event', CacheFilled, [new CacheFilled(1), new CacheFilled(2)]],
    ['a broadcast event', CityUpdated, [new CityUpdated(1), new CityUpdated(2)]],
    ['a durable event', CityViewed, [new CityViewed(1), new CityViewed(2)]],
  ])('gives %s to who loops, until the loop is left', async (_, subject, events) => {
    const { bus } = await applications.start();
    const seen: object[] = [];
    const stream = bus.stream<object>(subject);
    // It is subscribed to in the background.
    await stream.ready;
    for (const event of events) await bus.publish(event);
    for await (const event of stream) if (seen.push(event) === 2) break;
    expect(seen.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))).toEqual(
      events,
    );
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('ends when the application does, which does not wait for what nobody reads', async () => {
    const { close, bus } = await applications.start([], { options: { shutdownTimeout: '1h' } });
    const next = bus.stream('city.*').next();
    const unread = bus.stream(CacheFilled);
    await unread.ready;
    for (const entries of [1, 2]) await bus.publish(new CacheFilled(entries));
    await close();
    expect(await next).toEqual({ done: true, value: undefined });
    const rest: unknown[] = [];
    for await (const { entries } of unread) rest.push(entries);
    expect(rest).toEqual([1, 2]);
    // It will never stand, and who waits learns of it.
    await unread.ready;
    expect(() => bus.stream('city.*')).toThrow(/is closed/);
  });
});

describe('EventBus.publish', () => {
  it('sends id, key and traceparent as they are given, or as class and module say', async () => {
    const options = { traceparent: () => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const { bus } = await applications.start([], { options });
    const seen: unknown[] = [];
    await bus.subscribe('city.renamed', (_, { id, key, traceparent }) => seen.push([id, key, traceparent]));
    const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01';
    const { id } = await bus.publish('city.renamed', 1, { id: 'request:1', key: 7, traceparent: given });
    const other = await bus.publish('city.renamed', 1);
    await eventually(() => expect(seen).toHaveLength(2));
    expect(id).toBe('request:1');
    expect(seen).toEqual([
      ['request:1', '7', given],
      [other.id, undefined, options.traceparent()],
    ]);
  });

  it('does without a traceparent of the module that is none, or cannot be had', async () => {
    const given = [
      () => 'none',
      () => {
        throw new Error('no trace');
      },
    ];
    const { bus } = await applications.start([], { options: { traceparent: () => given.shift()?.() } });
    const seen: unknown[] = [];
    await bus.subscribe(CacheFilled, (_, { traceparent }) => seen.push(traceparent));
    for (const entries of [1, 2]) await bus.publish(new CacheFilled(entries));
    expect(seen).toEqual([undefined, undefined]);
  });

  it('rejects what is not valid, too large, no event, or misconfigured, and sends nothing', async () => {
    const { bus } = await applications.start([], { options: { maxSize: '1kb' } });
    const seen: unknown[] = [];
    await bus.subscribe('**', (event) => seen.push(event));
    await expect(bus.publish(new CityUpdated('x' as never))).rejects.toBeInstanceOf(EventInvalidError);
    await expect(bus.publish('city.renamed', 'x'.repeat(2_000))).rejects.toBeInstanceOf(EventTooLargeError);
    await expect(bus.publish({ city: 1 } as object)).rejects.toBeInstanceOf(PubSubConfigurationError);
    await expect(bus.publish('no topic', 1)).rejects.toBeInstanceOf(PubSubConfigurationError);
    await expect(bus.publish('a', 1, { id: 'a b' })).rejects.toBeInstanceOf(PubSubConfigurationError);
    await bus.publish('last', 'last');
    await eventually(() => expect(seen).toEqual(['last']));
    expect(await bus.stats()).toMatchObject({ published: 1, rejected: 3 });
  });

  it('tells of it on diagnostics_channel', async () => {
    const { bus } = await applications.start();
    const told: object[] = [];
    const tell = (message: unknown) => void told.push(message as object);
    const names = [pubsubChannel('published'), pubsubChannel('rejected')];
    for (const name of names) listen(name, tell);
    const { id } = await bus.publish(new CityUpdated(1));
    await bus.publish(new CityUpdated('x' as never)).catch(() => undefined);
    for (const name of names) ignore(name, tell);
    const { namespace } = applications;
    expect(told).toEqual([
      expect.objectContaining({
        namespace,
        topic: 'city.updated',
        id,
        delivery: 'broadcast',
        size: expect.any(Number),
      }),
      expect.objectContaining({ namespace, topic: 'city.updated', error: expect.any(EventInvalidError) }),
    ]);
  });
});
