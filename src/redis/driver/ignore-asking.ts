import type { Redis } from 'ioredis';

/**
 * The driver, redirected by `ASK`, sends `ASKING` and does not look at what becomes of it: a connection that is lost meanwhile, or an ACL
 * without `+asking`, would end the process by an unhandled rejection. The command that follows it fails by itself.
 */
export function ignoreAsking(client: Redis): Redis {
  const asking = client.asking.bind(client);
  const value = (): Promise<'OK'> => {
    const reply = asking();
    reply.catch(() => undefined);
    return reply;
  };
  Object.defineProperty(client, 'asking', { value, configurable: true, writable: true });
  return client;
}
