import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BusEventPublisher } from '../../src/pubsub/bus-events.js';
import type { EventContext } from '../../src/pubsub/delivery/event-context.js';
import type { EventHandler } from '../../src/pubsub/delivery/event-handler.js';
import { Listener } from '../../src/pubsub/delivery/listener.js';
import type { Envelope } from '../../src/pubsub/events/envelope.js';
import { EventTypes } from '../../src/pubsub/events/event-types.js';
import { LocalDelivery } from '../../src/pubsub/local/local-delivery.js';
import type { ResolvedListenerOptions } from '../../src/pubsub/options/resolved-options.js';
import { subjectOf } from '../../src/pubsub/subscriptions/subject.js';
import { eventually } from '../support/eventually.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log']));

const types = new EventTypes({ topics: {} });

const OPTIONS: ResolvedListenerOptions = {
  name: 'listener',
  concurrency: 2,
  timeout: Infinity,
  buffer: 3,
  overflow: 'drop-oldest',
  skipOwn: false,
  onGap: undefined,
};

function listener(subject: string, handler: EventHandler, options: Partial<ResolvedListenerOptions> = {}) {
  const events = new BusEventPublisher('connection', 'events');
  return new Listener(subjectOf(types, subject), handler, { ...OPTIONS, ...options }, 'broadcast', events);
}

function publish(delivery: LocalDelivery, topic: string, event: unknown, key?: string): void {
  const envelope: Envelope = {
    id: '1',
    topic,
    v: 1,
    at: Date.now(),
    from: 'here',
    data: event,
    ...(key && { key }),
  };
  delivery.publish(types.of(topic), event, envelope);
}

/** A handler whose promises are settled by hand, in the order of its events. */
function gated() {
  const started: unknown[] = [];
  const contexts: EventContext[] = [];
  const ends: (() => void)[] = [];
  const handler: EventHandler = (event, context) => {
    started.push(event);
    contexts.push(context);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  return { started, contexts, ends, handler };
}

describe('a local event', () => {
  it('is handled before publishing returns, by topic and pattern, with the very object', () => {
    const delivery = new LocalDelivery();
    const seen: unknown[] = [];
    // Those of patterns listen to Redis, too.
    for (const subject of ['a.b', 'a.*', 'b.*', 'a.b'])
      delivery.add(
        listener(subject, (event, { delivery: how, isOwn }) => seen.push([subject, event, how, isOwn])),
      );
    const event = { id: 1 };
    publish(delivery, 'a.b', event);
    expect(seen).toEqual(['a.b', 'a.b', 'a.*'].map((subject) => [subject, event, 'local', true]));
    expect((seen[0] as unknown[])[1]).toBe(event);
  });

  it('does not come to who was removed, not even in the middle of it', () => {
    const delivery = new LocalDelivery();
    const seen: string[] = [];
    const second = listener('a', () => seen.push('second'));
    const first = listener('a', () => (seen.push('first'), delivery.remove(second), second.close()));
    delivery.add(first);
    delivery.add(second);
    publish(delivery, 'a', 1);
    publish(delivery, 'a', 2);
    expect(seen).toEqual(['first', 'first']);
  });

  it('takes the place of the oldest where a pattern is full, although what comes from Redis would wait', async () => {
    const delivery = new LocalDelivery();
    const { started, ends, handler } = gated();
    const pattern = listener('a.*', handler, { overflow: 'wait', concurrency: 1, buffer: 2 });
    delivery.add(pattern);
    for (let event = 0; event < 5; event++) publish(delivery, 'a.b', event);
    expect(pattern.buffered).toBe(2);
    for (let event = 0; event < 3; event++) {
      await eventually(() => ends.length > event);
      ends[event]!();
    }
    await pattern.drained();
    expect(started).toEqual([0, 3, 4]);
  });
});

describe('a listener', () => {
  it('runs as many handlers at a time as it may, and none with the same key', async () => {
    const delivery = new LocalDelivery();
    const { started, ends, handler } = gated();
    delivery.add(listener('a', handler, { buffer: 10 }));
    for (const [event, key] of [
      [1, 'x'],
      [2, 'x'],
      [3, 'y'],
      [4, undefined],
    ] as const)
      publish(delivery, 'a', event, key);
    expect(started).toEqual([1]);
    ends[0]!();
    await eventually(() => expect(started).toEqual([1, 2, 3]));
    ends[1]!();
    await eventually(() => expect(started).toEqual([1, 2, 3, 4]));
  });

  it('closed, takes no more, handles what waits, and is drained then', async () => {
    const { started, ends, handler } = gated();
    const delivery = new LocalDelivery();
    const closing = listener('a', handler);
    delivery.add(closing);
    for (let event = 0; event < 4; event++) publish(delivery, 'a', event);
    closing.close();
    publish(delivery, 'a', 'late');
    let isDrained = false;
    const drained = closing.drained().then(() => (isDrained = true));
    for (let event = 0; event < 4; event++) {
      await eventually(() => ends.length > event);
      expect(isDrained).toBe(false);
      ends[event]!();
    }
    await drained;
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('aborted, tells what runs to end, drops the rest, and waits for nobody', async () => {
    const { started, contexts, handler } = gated();
    const delivery = new LocalDelivery();
    const aborted = listener('a', handler);
    delivery.add(aborted);
    for (let event = 0; event < 4; event++) publish(delivery, 'a', event);
    const signals = contexts.map(({ signal }) => signal);
    aborted.abort(new Error('over'));
    await aborted.drained();
    expect(started).toEqual([0, 1]);
    expect(signals.map(({ aborted: isAborted }) => isAborted)).toEqual([true, true]);
  });

  it('that is drained at once when it has nothing to do, and handles thousands without recursion', async () => {
    const delivery = new LocalDelivery();
    let count = 0;
    let end = (): void => undefined;
    const first = new Promise<void>((resolve) => (end = resolve));
    const many = listener('a', () => (count++ === 0 ? first : undefined), { buffer: 50_000, concurrency: 1 });
    delivery.add(many);
    await many.drained();
    for (let event = 0; event < 50_000; event++) publish(delivery, 'a', event);
    expect([count, many.buffered]).toEqual([1, 49_999]);
    end();
    await many.drained();
    expect(count).toBe(50_000);
  });
});
