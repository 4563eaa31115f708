import { types } from 'node:util';
import type { BusEventPublisher } from '../bus-events.js';
import { traceOf } from '../describe-error.js';
import type { ResolvedHandlerOptions } from '../options/resolved-options.js';
import { logger } from '../pubsub-logger.js';
import type { EventContext } from './event-context.js';
import type { EventHandler } from './event-handler.js';

/** Why a handler has failed; undefined where it has not. */
export type Failure = { readonly error: unknown } | undefined;

/** Runs a handler, tells of it, and neither throws nor rejects, whatever the handler does. */
export class Runner {
  readonly name: string;
  readonly #handler: EventHandler;
  readonly #events: BusEventPublisher;
  readonly #timeout: number;

  constructor(handler: EventHandler, { name, timeout }: ResolvedHandlerOptions, events: BusEventPublisher) {
    this.name = name;
    this.#handler = handler;
    this.#events = events;
    this.#timeout = timeout;
  }

  /** At once where the handler is done at once: a promise for each event would be the larger part of the work. */
  run(event: unknown, context: EventContext): Failure | Promise<Failure> {
    const startedAt = this.#events.watchesHandlers ? performance.now() : 0;
    let result: Promise<unknown> | undefined;
    try {
      result = promiseOf(this.#handler(event, context));
    } catch (error) {
      return this.#failed(context, error, startedAt);
    }
    if (!result) return this.#handled(context, startedAt);
    const settled = this.#timeout === Infinity ? result : this.#limit(result, context);
    return settled.then(
      () => this.#handled(context, startedAt),
      (error: unknown) => this.#failed(context, error, startedAt),
    );
  }

  /** Who is late has failed. What it does after that is its own affair. */
  #limit(result: Promise<unknown>, context: EventContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new DOMException(`The handler took more than ${this.#timeout} ms`, 'TimeoutError');
        context.abort(error);
        reject(error);
      }, this.#timeout).unref();
      void result.then(resolve, reject).then(() => clearTimeout(timer));
    });
  }

  #handled(context: EventContext, startedAt: number): Failure {
    this.#events.counts.handled++;
    if (startedAt > 0)
      this.#events.publish('handled', { ...this.#notice(context), took: performance.now() - startedAt });
    return undefined;
  }

  #failed(context: EventContext, error: unknown, startedAt: number): Failure {
    this.#events.counts.failed++;
    const { topic, id, attempt } = context;
    logger.error(
      `${this.name} failed to handle '${topic}' ${id}${attempt > 1 ? ` (attempt ${attempt})` : ''}`,
      traceOf(error),
    );
    if (startedAt > 0)
      this.#events.publish('failed', {
        ...this.#notice(context),
        took: performance.now() - startedAt,
        error,
      });
    return { error };
  }

  #notice({ topic, id, group, attempt }: EventContext) {
    return { topic, id, handler: this.name, group, attempt };
  }
}

/** What a handler's result is waited for with; undefined where it is done. What only looks like a promise may throw, or settle twice. */
function promiseOf(result: unknown): Promise<unknown> | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  const { then } = result as { readonly then?: unknown };
  if (typeof then !== 'function') return undefined;
  const isPlain =
    types.isPromise(result) && then === Promise.prototype.then && result.constructor === Promise;
  return isPlain ? result : new Promise((resolve) => resolve(result));
}
