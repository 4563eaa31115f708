import { inspect } from 'node:util';
import { Command, type Redis } from 'ioredis';
import { prepareDescendants } from './descendants.js';
import { isCluster, type RedisClient } from './redis-client.js';

const LOGIN = ['auth', 'hello'] as const;

/**
 * Keeps the password out of what `inspect`, `console.log` and `JSON.stringify` show of a client, of its options and of its errors, and
 * of those of the clients that the driver makes after it: copies, and connections to Sentinels.
 */
export function hideClientSecrets<T extends RedisClient>(client: T): T {
  hide(client, () => ({ isCluster: client.isCluster, status: client.status }));
  hide(client.options, describeOptions);
  if (isCluster(client)) {
    if (client.options.redisOptions) hide(client.options.redisOptions, describeOptions);
  } else {
    hideLogin(client);
    prepareDescendants(client, hideClientSecrets);
  }
  return client;
}

function hideLogin(client: Redis): void {
  for (const name of LOGIN) {
    const value = (...args: unknown[]) => client.sendCommand(new LoginCommand(name, args));
    Object.defineProperty(client, name, { value, configurable: true, writable: true });
  }
}

/**
 * The driver puts the arguments of a failed command on its error; those of a login are the credentials. They are taken off before
 * anyone sees the error, the subscribers of `tracing:ioredis:command:error` included.
 */
class LoginCommand extends Command {
  constructor(name: (typeof LOGIN)[number], args: unknown[]) {
    const callback = args.findLast((argument) => typeof argument === 'function');
    const credentials = args.filter((argument) => argument !== callback) as string[];
    super(name, credentials, { replyEncoding: 'utf8' }, callback as ConstructorParameters<typeof Command>[3]);
    const { reject } = this;
    this.reject = (error: Error & { command?: { name: string; args: unknown[] } }) => {
      if (error.command?.name === name) error.command.args = ['***'];
      reject(error);
    };
  }
}

function describeOptions(): string {
  return '[connection options]';
}

function hide(target: object, shown: () => unknown): void {
  Object.defineProperty(target, inspect.custom, { value: shown, configurable: true });
  Object.defineProperty(target, 'toJSON', { value: shown, configurable: true });
}
