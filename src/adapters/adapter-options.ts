import { RedisConnection } from '../redis/index.js';
import { resolveOptions, showValue, type Problems, type Settings } from '../redis/shared.js';
import { AdapterConfigurationError } from './adapter-configuration-error.js';

/**
 * @param subject whose options they are: `RedisSessionStore`
 * @param names all that there are
 * @throws AdapterConfigurationError with every problem that was found
 */
export function resolveAdapterOptions<Options extends object, Resolved>(
  subject: string,
  { options, names }: { options: Options; names: Readonly<Record<keyof Options & string, true>> },
  read: (settings: Settings, problems: Problems) => Resolved,
): Resolved {
  const toError = (problems: AdapterConfigurationError['problems']): Error =>
    new AdapterConfigurationError(subject, problems);
  return resolveOptions({ options, tree: names, toError }, read);
}

/** @throws AdapterConfigurationError for what is none: a client, say, which is injected by a similar name */
export function checkConnection(subject: string, connection: unknown): void {
  if (connection instanceof RedisConnection) return;
  const message = `${showValue(connection)} is not a RedisConnection, which @InjectRedisConnection() and getRedisConnectionToken() give`;
  throw new AdapterConfigurationError(subject, [{ option: 'connection', message }]);
}
