import { flattenOptions, Problems, Settings, showValue } from '../../redis/shared.js';
import { SUBSCRIBE_TREE } from './option-trees.js';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';

/**
 * Checks what a subscription is made with before anything of it is used.
 *
 * @throws PubSubConfigurationError for a handler that is no function, for what are no options, and a signal that is none
 */
export function checkCall(subject: string, handler: unknown, options: unknown): void {
  const problems = new Problems();
  if (typeof handler !== 'function') problems.add('handler', `${showValue(handler)} is not a function`);
  const settings = new Settings(flattenOptions(options, SUBSCRIBE_TREE, problems), problems);
  settings.signal('signal');
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
}
