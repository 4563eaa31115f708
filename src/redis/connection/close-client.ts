import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { clusterInternals, redisInternals } from '../driver/internals.js';
import { RedisClosedError } from '../errors/errors.js';

/** Whether `promise` settles before `deadline` (on the clock of `performance.now()`); how it settles is not looked at. */
export async function settleWithin(promise: Promise<unknown>, deadline: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(Math.max(0, deadline - performance.now()), false, { signal: timer.signal }).catch(
    () => false,
  );
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, late]).finally(() => timer.abort());
}

/** How long a client that was told to disconnect may take to say that it has. */
const END_TIMEOUT = 1_000;

/** Lets what is pending be answered, says `QUIT`, and waits for the end; past the deadline the sockets are destroyed. */
export async function closeClient(client: RedisClient, deadline: number): Promise<'closed' | 'cut off'> {
  if (client.status === 'end') return 'closed';
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  const wasReady = client.status === 'ready';
  if (
    wasReady &&
    (await settleWithin(
      quit(client, deadline).then(() => ended),
      deadline,
    ))
  )
    return 'closed';
  const betweenAttempts = client.status === 'reconnecting';
  client.disconnect();
  destroySockets(client);
  if (betweenAttempts || !(await settleWithin(ended, performance.now() + END_TIMEOUT))) end(client);
  return wasReady ? 'cut off' : 'closed';
}

/** Commands that the driver still collects for a pipeline would come after `QUIT`: they go first. */
async function quit(client: RedisClient, deadline: number): Promise<void> {
  while (client.autoPipelineQueueSize > 0 && performance.now() < deadline) await nextTurn();
  await client.quit();
}

function destroySockets(client: RedisClient): void {
  const nodes = isCluster(client) ? client.nodes() : [client];
  for (const node of nodes) redisInternals(node).stream?.destroy();
}

/** The driver, told to disconnect between two attempts to connect, neither ends nor settles the commands that wait. */
function end(client: RedisClient): void {
  const closed = new RedisClosedError('The connection was closed before the command was sent');
  if (isCluster(client)) {
    const internals = clusterInternals(client);
    internals.setStatus('end');
    internals.flushQueue(closed);
    internals.invokeReadyDelayedCallbacks(closed);
  } else {
    const internals = redisInternals(client);
    internals.setStatus('end');
    internals.flushQueue(closed);
  }
}
