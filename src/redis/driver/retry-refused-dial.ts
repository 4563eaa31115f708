import { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/**
 * Makes of a connect that could not even be begun an attempt that failed. The driver takes it for the end of the client, for good:
 * it happens when news of a failover arrives while the client asks the Sentinels for the master.
 */
export function retryRefusedDial(client: Redis): Redis {
  const internals = redisInternals(client);
  const { connector } = internals;
  const dial = connector.connect.bind(connector);
  connector.connect = async (emit) => {
    try {
      return await dial(emit);
    } catch (error) {
      if (internals.manuallyClosing) throw error;
      connector.firstError = error as Error;
      return new Socket().destroy();
    }
  };
  return client;
}
