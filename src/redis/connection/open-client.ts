import type { Logger } from '@nestjs/common';
import { createClient, createLibraryClient } from '../driver/create-client.js';
import type { CredentialsSource } from '../driver/credentials-source.js';
import { installCredentials } from '../driver/install-credentials.js';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { tellOfCommands } from './command-events.js';
import { ConnectionMonitor } from './connection-monitor.js';
import { keepSubscribed } from './keep-subscribed.js';

export interface MonitoredClient {
  readonly client: RedisClient;
  readonly monitor: ConnectionMonitor;
}

/** What a client is opened for: the name of the library, for one of a library. */
export type Purpose = 'client' | 'subscriber' | { readonly library: string };

interface Parts {
  /** Of the connection. */
  readonly id: string;
  readonly options: ResolvedRedisOptions;
  readonly credentials: CredentialsSource | undefined;
  readonly logger: Logger;
}

/** Makes a client of a connection, and has it told of. Nothing is opened before it is connected or used. */
export function openClient({ id, options, credentials, logger }: Parts, purpose: Purpose): MonitoredClient {
  const { name } = options;
  const role = typeof purpose === 'object' ? 'library' : purpose;
  const client =
    typeof purpose === 'object'
      ? createLibraryClient(options, purpose.library)
      : createClient(options, purpose);
  if (credentials) installCredentials(client, credentials);
  const monitor = new ConnectionMonitor(client, { id, name, role }, logger);
  if (!isCluster(client))
    keepSubscribed(client, (error) =>
      logger.warn(`Redis connection '${name}' could not subscribe again: ${error.message}`),
    );
  if (role !== 'subscriber') tellOfCommands(client, { connectionId: id, connection: name });
  return { client, monitor };
}
