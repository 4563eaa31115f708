import { inspect } from 'node:util';
import { Command, type Redis } from 'ioredis';
import { redisInternals } from './internals.js';
import { isCluster, type RedisClient } from './redis-client.js';

/**
 * Keeps the password out of what `inspect`, `console.log` and `JSON.stringify` show of a client, of its options, of its errors, and of
 * the copies that `duplicate()` makes of it.
 */
export function hideClientSecrets<T extends RedisClient>(client: T): T {
  const summary = () => ({ isCluster: client.isCluster, status: client.status });
  hide(client, summary);
  hide(client.options, describeOptions);
  if (isCluster(client)) hide(client.options.redisOptions, describeOptions);
  else hideSecretsOf(client);
  // Without a listener the driver writes errors to the console.
  client.on('error', () => {});
  return client;
}

function hideSecretsOf(client: Redis): void {
  for (const name of ['auth', 'hello'] as const) {
    const send = (...args: unknown[]) => client.sendCommand(new LoginCommand(name, args));
    Object.defineProperty(client, name, { value: send, configurable: true, writable: true });
  }
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => hideClientSecrets(duplicate(override));
  const { connector } = redisInternals(client);
  const connectToSentinel = connector.connectToSentinel?.bind(connector);
  if (connectToSentinel) {
    connector.connectToSentinel = (...parameters) => hideClientSecrets(connectToSentinel(...parameters));
  }
}

/**
 * The driver puts the arguments of a failed command on its error: those of a login are the credentials. They are taken off before
 * anyone sees the error, the subscribers of `tracing:ioredis:command:error` included.
 */
class LoginCommand extends Command {
  constructor(name: 'auth' | 'hello', args: unknown[]) {
    const callback = typeof args.at(-1) === 'function' ? args.at(-1) : undefined;
    const own = (callback ? args.slice(0, -1) : args) as string[];
    super(name, own, { replyEncoding: 'utf8' }, callback as (error: unknown, reply: unknown) => void);
    const { reject } = this;
    this.reject = (error) => {
      const { command } = error as Error & { command?: { args?: unknown[] } };
      if (command) command.args = ['***'];
      reject(error);
    };
  }
}

function describeOptions(): string {
  return '[connection options]';
}

function hide(target: object | undefined, shown: () => unknown): void {
  if (!target) return;
  Object.defineProperty(target, inspect.custom, { value: shown, configurable: true });
  Object.defineProperty(target, 'toJSON', { value: shown, configurable: true });
}
