import type { Redis } from 'ioredis';
import { prepareDescendants } from './descendants.js';
import { redisInternals } from './internals.js';

type ConnectError = Error & { code?: string; library?: string; reason?: string };

const SPEAKS_TLS = 'does the server speak TLS on this port?';

/** Says in errors of connecting what they mean where TLS is on one side only, and what OpenSSL means in its own. */
export function explainErrors(client: Redis): Redis {
  client.on('error', (error: ConnectError) => {
    error.message = explain(error, client) ?? error.message;
  });
  prepareDescendants(client, (descendant) => {
    // What a copy of the application's own does with its errors is the application's affair.
    return descendant.options.retryStrategy === null ? explainErrors(descendant) : descendant;
  });
  return client;
}

function explain({ code, library, reason, message }: ConnectError, client: Redis): string | undefined {
  if (message.endsWith('?')) return undefined; // explained by the connection to a Sentinel
  const { tls, connectTimeout } = client.options;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return `TLS: ${reason}; ${SPEAKS_TLS}`;
  if (library === 'SSL routines') return `TLS: ${reason}`;
  if (tls && code === 'ETIMEDOUT') return `${message}: no TLS within ${connectTimeout} ms; ${SPEAKS_TLS}`;
  if (tls || code !== 'ECONNRESET' || redisInternals(client).stream?.bytesRead !== 0) return undefined;
  return `${message} before any reply; does the server expect TLS on this port?`;
}
