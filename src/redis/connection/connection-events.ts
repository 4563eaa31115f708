import { channel } from 'node:diagnostics_channel';
import type { ClientRole } from '../driver/create-client.js';
import type { RedisError } from '../errors/redis-error.js';

/** State of a connection. `reconnecting` includes a first connect that has failed and is repeated. */
export type ConnectionState = 'idle' | 'connecting' | 'ready' | 'reconnecting' | 'closing' | 'closed';

/** What is published on {@link CONNECTION_CHANNEL} whenever a connection changes its state. */
export interface ConnectionEvent {
  /** Tells apart connections of the same name in several applications of one process. */
  connectionId: string;
  /** Name of the connection, as given to `RedisModule.forRoot`. */
  connection: string;
  role: ClientRole;
  state: ConnectionState;
  previous: ConnectionState;
  /** Why the connection was lost or could not be made. */
  error?: RedisError;
}

/** Name of the `node:diagnostics_channel` for changes of a connection's state; messages are {@link ConnectionEvent}s. */
export const CONNECTION_CHANNEL = 'rednest:redis:connection';

const connectionChannel = channel(CONNECTION_CHANNEL);

export function publishConnectionEvent(event: ConnectionEvent): void {
  if (connectionChannel.hasSubscribers) connectionChannel.publish(event);
}
