import type { Redis } from 'ioredis';
import { redisInternals } from '../driver/internals.js';
import { toRedisError } from '../errors/classify.js';
import { RedisClosedError } from '../errors/errors.js';
import type { RedisError } from '../errors/redis-error.js';

/** What a connection is subscribed to, as the driver keeps it. */
interface Subscriptions {
  channels(command: SubscribeCommand): string[];
}

type SubscribeCommand = (typeof COMMANDS)[number];

const COMMANDS = ['subscribe', 'psubscribe', 'ssubscribe'] as const;

const UNSUBSCRIBE = {
  subscribe: 'unsubscribe',
  psubscribe: 'punsubscribe',
  ssubscribe: 'sunsubscribe',
} as const;

/**
 * Subscribes a client again after each loss of its connection. The driver does so too, but once only: where the connection is lost
 * again before the reply, or the server refuses, it forgets the channels, and its unhandled rejection ends the process.
 *
 * @param onRefusal told when the server refuses; it is asked again after the next loss
 */
export function keepSubscribed(client: Redis, onRefusal: (error: RedisError) => void): void {
  if (client.options.autoResubscribe === false) return;
  client.options.autoResubscribe = false;
  const lost = { subscribe: new Set<string>(), psubscribe: new Set<string>(), ssubscribe: new Set<string>() };
  client.on('close', () => {
    for (const command of COMMANDS)
      for (const channel of subscribed(client, command)) lost[command].add(channel);
  });
  client.on('ready', () => {
    for (const command of COMMANDS) void subscribeAgain(client, command, lost[command], onRefusal);
  });
  forgetUnsubscribed(client, lost);
}

function subscribed(client: Redis, command: SubscribeCommand): string[] {
  const { subscriber } = (redisInternals(client).condition ?? {}) as { subscriber?: Subscriptions | false };
  return subscriber ? subscriber.channels(command) : [];
}

async function subscribeAgain(
  client: Redis,
  command: SubscribeCommand,
  lost: Set<string>,
  onRefusal: (error: RedisError) => void,
): Promise<void> {
  // One by one: a refused channel must not take the others with it.
  const outcomes = await Promise.allSettled(
    Array.from(lost, (channel) => subscribeTo(client, command, channel, lost)),
  );
  const refusal = outcomes
    .map((outcome) => (outcome.status === 'rejected' ? toRedisError(outcome.reason) : undefined))
    .find((error) => error && !error.retryable && !(error instanceof RedisClosedError));
  if (refusal) onRefusal(refusal);
}

async function subscribeTo(
  client: Redis,
  command: SubscribeCommand,
  channel: string,
  lost: Set<string>,
): Promise<void> {
  await client[command](channel);
  lost.delete(channel);
}

/** Of what is unsubscribed while the connection is away, the server does not tell. */
function forgetUnsubscribed(client: Redis, lost: Record<SubscribeCommand, Set<string>>): void {
  for (const command of COMMANDS) {
    const unsubscribe = UNSUBSCRIBE[command];
    const send = client[unsubscribe].bind(client) as (...args: unknown[]) => Promise<unknown>;
    const value = (...args: unknown[]) => {
      const channels = args.flat().filter((each) => typeof each !== 'function');
      if (channels.length === 0) lost[command].clear();
      for (const channel of channels) lost[command].delete(String(channel));
      return send(...args);
    };
    Object.defineProperty(client, unsubscribe, { value, configurable: true, writable: true });
  }
}
