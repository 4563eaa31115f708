import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '../events/event-options.js';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';
import type { PublishOptions, StreamOptions, SubscribeCallOptions } from './pubsub-options.js';
import { resolveRootOptions } from './resolve-pubsub-options.js';
import { resolvePublishOptions } from './resolve-publish-options.js';
import { resolveGroup, resolveStream, resolveSubscription } from './resolve-subscription.js';

const { defaults } = resolveRootOptions({});

const wrongIn = (resolve: () => unknown): string[] => {
  try {
    resolve();
  } catch (error) {
    expect(error).toBeInstanceOf(PubSubConfigurationError);
    return (error as PubSubConfigurationError).problems.map(({ option }) => option).toSorted();
  }
  return [];
};

const from = (value: unknown): string =>
  resolveGroup('a', { group: 'g', from: value as 'now' }, defaults).from;

const resolveListener = (options: SubscribeCallOptions, others = defaults, delivery: Delivery = 'durable') =>
  resolveSubscription(
    'a',
    delivery,
    delivery === 'durable' ? { delivery: 'broadcast', ...options } : options,
    others,
  ).options;

describe('a listener', () => {
  it('has the defaults of the module', () => {
    const others = resolveRootOptions({
      concurrency: 2,
      buffer: 3,
      overflow: 'wait',
      timeout: '9s',
    }).defaults;
    const resolved = {
      name: 'a',
      concurrency: 2,
      timeout: 9_000,
      buffer: 3,
      overflow: 'wait',
      skipOwn: false,
    };
    expect(resolveListener({}, others)).toEqual({ ...resolved, onGap: undefined });
  });

  it('takes what is given', () => {
    const onGap = (): void => undefined;
    const { signal } = new AbortController();
    const given: SubscribeCallOptions = {
      name: 'b',
      timeout: '1s',
      skipOwn: true,
      onGap,
      signal,
      delivery: 'broadcast',
    };
    expect(resolveListener(given)).toEqual({
      name: 'b',
      concurrency: 10,
      timeout: 1_000,
      buffer: 1_000,
      overflow: 'drop-oldest',
      skipOwn: true,
      onGap,
    });
  });

  it('of a local event waits for nobody, and drops the oldest where others wait by default', () => {
    const waiting = resolveRootOptions({ overflow: 'wait' }).defaults;
    expect(resolveListener({}, waiting, 'local')).toMatchObject({ overflow: 'drop-oldest' });
    expect(resolveStream('a', 'local', {}, waiting)).toMatchObject({ overflow: 'drop-oldest' });
    expect(resolveListener({ overflow: 'drop-newest' }, waiting, 'local')).toMatchObject({
      overflow: 'drop-newest',
    });
  });

  it('has nothing of a group', () => {
    const options: SubscribeCallOptions = {
      group: 'g',
      retries: 1,
      backoff: { max: 5 },
      once: true,
      from: 'now',
    };
    expect(wrongIn(() => resolveListener(options))).toEqual(Object.keys(options).toSorted());
  });
});

describe('a group', () => {
  it('has the defaults of the module', () => {
    const others = resolveRootOptions({ retries: 2, once: '1d', backoff: { initial: 5 } }).defaults;
    expect(resolveGroup('a', { group: 'g.1_-' }, others)).toEqual({
      name: 'a',
      concurrency: 10,
      timeout: Infinity,
      group: 'g.1_-',
      retries: 2,
      backoff: { initial: 5, max: 300_000 },
      once: 86_400_000,
      from: '0',
    });
    expect(resolveGroup('a', { group: 'g', once: false }, others).once).toBe(0);
  });

  it.each([
    ['beginning', '0'],
    ['now', '$'],
    [new Date(1_000), '999-18446744073709551615'],
    [new Date(0), '0'],
    ['1700000000000-0', '1700000000000-0'],
    ['18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551615'],
  ])('begins at %p', (value, id) => {
    expect(from(value)).toBe(id);
  });

  it.each([
    '',
    'end',
    '$',
    '>',
    '5',
    '5-',
    '5-x',
    '-5-0',
    '5-0 ',
    '18446744073709551616-0',
    new Date(NaN),
    new Date(-1),
    5,
    null,
  ])('cannot begin at %p', (value) => {
    expect(wrongIn(() => from(value))).toEqual(['from']);
  });

  it.each([undefined, '', 'a b', 'a:b', '{a}', 'x'.repeat(65), 5])('is not named %p', (group) => {
    expect(wrongIn(() => resolveGroup('a', { group: group as string }, defaults))).toEqual(['group']);
  });

  it('has nothing of a listener', () => {
    const options = {
      buffer: 1,
      overflow: 'wait',
      skipOwn: false,
      onGap: () => 1,
      delivery: 'broadcast',
    } as const;
    const wrong = wrongIn(() => resolveGroup('a', { group: 'g', ...options }, defaults));
    expect(wrong).toEqual(Object.keys(options).toSorted());
  });
});

describe('resolveSubscription', () => {
  const kind = (delivery: Delivery | undefined, options: SubscribeCallOptions): string =>
    resolveSubscription('a', delivery, options, defaults).kind;

  it('knows what each event needs', () => {
    expect(kind('local', {})).toBe('listener');
    expect(kind('broadcast', {})).toBe('listener');
    expect(kind(undefined, {})).toBe('listener');
    expect(kind('durable', { group: 'g' })).toBe('group');
    expect(kind('durable', { delivery: 'broadcast' })).toBe('listener');
  });

  it.each<[Delivery | undefined, SubscribeCallOptions, string[]]>([
    ['durable', {}, ['group']],
    ['durable', { delivery: 'local' as 'broadcast' }, ['delivery']],
    ['durable', { delivery: 'broadcast', group: 'g' }, ['group']],
    ['broadcast', { group: 'g' }, ['group']],
    ['broadcast', { delivery: 'broadcast' }, ['delivery']],
    ['local', { retries: 1 }, ['retries']],
    ['local', { overflow: 'wait' }, ['overflow']],
    ['local', { skipOwn: true }, ['skipOwn']],
    [undefined, { group: 'g', from: 'now' }, ['from', 'group']],
  ])('refuses of %p: %p', (delivery, options, wrong) => {
    expect(wrongIn(() => resolveSubscription('a', delivery, options, defaults))).toEqual(wrong);
  });
});

it('a stream has a buffer', () => {
  const stream = (options: StreamOptions, delivery?: Delivery): unknown =>
    resolveStream('a', delivery, options, defaults);
  expect(stream({ overflow: 'wait' })).toEqual({
    buffer: 1_000,
    overflow: 'wait',
    skipOwn: false,
    onGap: undefined,
  });
  expect(wrongIn(() => stream({ buffer: 0, concurrency: 1 } as StreamOptions))).toEqual([
    'buffer',
    'concurrency',
  ]);
  expect(wrongIn(() => stream({ overflow: 'wait', skipOwn: true }, 'local'))).toEqual([
    'overflow',
    'skipOwn',
  ]);
});

describe('options of an event', () => {
  const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

  it('are what is given', () => {
    expect(resolvePublishOptions('a')).toEqual({});
    expect(resolvePublishOptions('a', {})).toEqual({});
    const given = { id: 'order:5/a.b-c_d', key: 'k', traceparent };
    expect(resolvePublishOptions('a', given)).toEqual(given);
    expect(resolvePublishOptions('a', { key: 0 })).toEqual({ key: '0' });
  });

  it.each([
    ['id', ['', 'a b', 'a\n', 'ä', 'x'.repeat(129), 5, null]],
    ['key', ['', NaN, Infinity, {}, null]],
    ['traceparent', ['', 'x', traceparent.toUpperCase(), 5]],
    ['delivery', ['local']],
  ])('refuse a wrong %s', (option, values) => {
    for (const value of values) {
      const options = { [option]: value } as PublishOptions;
      expect(wrongIn(() => resolvePublishOptions('a', options))).toEqual([option]);
    }
  });
});
