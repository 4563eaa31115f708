import type { ConfigurationProblem } from '../../redis/index.js';
import { showValue } from '../../redis/shared.js';
import type { EventGap } from '../delivery/event-handler.js';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import type { Wish } from '../subscriptions/intakes.js';
import type { FoundHandler } from './handler-discovery.js';

/**
 * Makes wishes of the handlers that were found, and has them checked.
 *
 * @param add takes a wish, or throws PubSubConfigurationError
 * @throws PubSubConfigurationError with every problem of every handler
 */
export function planHandlers<T>(handlers: readonly FoundHandler[], add: (wish: Wish) => T): T[] {
  const problems: ConfigurationProblem[] = [];
  const planned = handlers.flatMap((handler) => {
    try {
      return [add(wishOf(handler))];
    } catch (error) {
      if (!(error instanceof PubSubConfigurationError)) throw error;
      const { name } = named(handler);
      problems.push(
        ...error.problems.map(({ option, message }) => ({ option: `${name}: ${option}`, message })),
      );
      return [];
    }
  });
  if (problems.length > 0) throw new PubSubConfigurationError('@Subscribe', problems);
  return planned;
}

function wishOf(handler: FoundHandler): Wish {
  const { host, method, subject, options } = handler;
  const { name, what } = named(handler);
  // A spread would make an object of what is none.
  if (typeof options !== 'object' || options === null)
    throw new PubSubConfigurationError(what, [
      { option: 'options', message: `${showValue(options)} are no options` },
    ]);
  const { onGap, ...others } = options;
  const told = onGap === undefined ? {} : { onGap: gapCaller(handler, what, onGap) };
  return { what, subject, handler: host.caller(method), options: { ...others, ...told, name } };
}

function gapCaller({ host }: FoundHandler, what: string, onGap: unknown): (gap: EventGap) => unknown {
  if (typeof onGap === 'string' && host.has(onGap)) return host.caller(onGap);
  const message = `${showValue(onGap)} is not the name of a method of ${host.name}`;
  throw new PubSubConfigurationError(what, [{ option: 'onGap', message }]);
}

function named({ host, method }: FoundHandler): { name: string; what: string } {
  const name = `${host.name}.${method}`;
  return { name, what: `@Subscribe on ${name}` };
}
