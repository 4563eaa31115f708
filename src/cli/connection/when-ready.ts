import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CONNECTION_CHANNEL, type ConnectionEvent, type RedisConnection } from '../../redis/index.js';
import { StoppedError } from '../stopped-error.js';

interface WaitOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for a connection, and no longer than makes sense: not after a wrong password.
 *
 * @throws RedisError why it is not ready; StoppedError
 */
export async function whenReady(connection: RedisConnection, options: WaitOptions): Promise<void> {
  const { timeout, signal } = options;
  let giveUp: (error: Error) => void = () => undefined;
  const stop = () => giveUp(new StoppedError());
  const look = (message: unknown) => {
    const { connectionId, error } = message as ConnectionEvent;
    if (connectionId === connection.id && error && !error.retryable) giveUp(error);
  };
  subscribe(CONNECTION_CHANNEL, look);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      giveUp = reject;
      if (signal.aborted) return stop();
      connection.whenReady(timeout).then(resolve, reject);
    });
  } finally {
    unsubscribe(CONNECTION_CHANNEL, look);
    signal.removeEventListener('abort', stop);
  }
}
