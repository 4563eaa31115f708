import type { ChainableCommander } from 'ioredis';
import { EventContext } from '../pubsub/delivery/event-context.js';

type Fields = Pick<
  EventContext,
  | 'id'
  | 'topic'
  | 'version'
  | 'key'
  | 'publishedAt'
  | 'traceparent'
  | 'delivery'
  | 'group'
  | 'attempt'
  | 'isOwn'
  | 'signal'
  | 'commit'
>;

/** What {@link eventContext} makes. */
export interface TestEventContext extends EventContext {
  /** What was given to `commit`, the first first. */
  readonly committed: readonly ChainableCommander[];
}

/**
 * The context of an event, for unit tests that call a handler themselves. What is not given is that of a durable event which a group
 * handles for the first time.
 *
 * @param fields without `commit`, that executes nothing, records what it is given, and resolves to `[]`; `signal` is followed by that of
 *   the context
 * @example
 * const context = eventContext({ attempt: 2 });
 * await ranking.count(new CityViewed(7), context);
 * expect(context.committed).toHaveLength(1);
 */
export function eventContext(fields: Partial<Fields> = {}): TestEventContext {
  const { id = 'test', topic = 'test', version: v = 1, publishedAt = new Date(), key, traceparent } = fields;
  const { delivery = 'durable', group = 'test', attempt = 1, isOwn = false, signal } = fields;
  const committed: ChainableCommander[] = [];
  const commit = async (_entry: unknown, multi: ChainableCommander): Promise<unknown[] | undefined> => {
    committed.push(multi);
    return fields.commit ? fields.commit(multi) : [];
  };
  const isGroup = delivery === 'durable';
  const context = new EventContext(
    {
      id,
      topic,
      v,
      at: publishedAt.getTime(),
      from: 'test',
      ...(key === undefined ? {} : { key }),
      ...(traceparent === undefined ? {} : { trace: traceparent }),
      data: undefined,
    },
    { delivery, attempt, isOwn, ...(isGroup ? { group, commit } : {}) },
  );
  if (signal?.aborted) context.abort(signal.reason);
  else signal?.addEventListener('abort', () => context.abort(signal.reason), { once: true });
  return Object.assign(context, { committed });
}
