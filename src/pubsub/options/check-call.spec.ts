import { expect, it } from '@jest/globals';
import { checkCall } from './check-call.js';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';

const handler = (): void => undefined;

it('takes a handler and options', () => {
  checkCall('a', handler, {});
  checkCall('a', handler, { signal: new AbortController().signal, group: 'g' });
});

it.each<[unknown, unknown, RegExp]>([
  [undefined, {}, /handler: undefined is not a function/],
  [{ handle: handler }, {}, /handler: /],
  [handler, null, /options: null is not an object/],
  [handler, 'group', /options: /],
  [handler, { signal: {} }, /signal: .*AbortSignal/],
  [handler, { signal: null }, /signal: .*AbortSignal/],
])('refuses %p with %p', (given, options, message) => {
  expect(() => checkCall('a', given, options)).toThrow(PubSubConfigurationError);
  expect(() => checkCall('a', given, options)).toThrow(message);
});
