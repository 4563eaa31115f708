import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/** Has `prepare` see the clients that the driver makes after this one before they are dialled: copies, and connections to Sentinels. */
export function prepareDescendants(client: Redis, prepare: (descendant: Redis) => Redis): void {
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => prepare(duplicate(override));
  const { connector } = redisInternals(client);
  const connectToSentinel = connector.connectToSentinel?.bind(connector);
  if (!connectToSentinel) return;
  connector.connectToSentinel = (...parameters) => prepare(connectToSentinel(...parameters));
}
