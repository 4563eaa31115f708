import type { RedisClient } from '../redis/index.js';

/** Tells when a client's connection is lost, and when there is a new one, which may be to another server: what was read belongs to the one before. */
export function onConnectionChange(client: RedisClient, listen: () => void): void {
  for (const event of ['ready', 'close'] as const) client.on(event, listen);
}
