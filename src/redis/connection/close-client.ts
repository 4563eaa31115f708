import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from 'ioredis';
import { settlesBefore } from '../../timing/settles-before.js';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { clusterInternals, redisInternals } from '../driver/internals.js';
import { RedisClosedError } from '../errors/errors.js';

/** How long a client that was told to disconnect may take to say that it has. */
const END_TIMEOUT = 1_000;

/** How often is looked whether the driver has sent what it collects. */
const POLL_INTERVAL = 5;

/**
 * Lets what is pending be answered, says `QUIT`, and waits for the end; past the deadline the sockets are destroyed. Commands that come
 * later are rejected with {@link RedisClosedError}.
 */
export async function closeClient(client: RedisClient, deadline: number): Promise<'closed' | 'cut off'> {
  const wasReady = client.status === 'ready';
  const ended = untilEnd(client);
  if (
    wasReady &&
    (await settlesBefore(quit(client, deadline), deadline)) &&
    (await settlesBefore(ended, deadline))
  )
    return 'closed';
  refuseCommands(client);
  if (client.status === 'end') return 'closed';
  await endClient(client, ended);
  return wasReady ? 'cut off' : 'closed';
}

/** Ends a client without asking Redis. What waits is rejected with {@link RedisClosedError}. */
export async function endClient(client: RedisClient, ended = untilEnd(client)): Promise<void> {
  // Told to disconnect once more, the driver would set a timer that nothing clears.
  if (client.status === 'end') return;
  const betweenAttempts = client.status === 'reconnecting';
  rejectUnsent(client);
  client.disconnect();
  destroySockets(client);
  if (betweenAttempts || !(await settlesBefore(ended, performance.now() + END_TIMEOUT))) end(client);
}

function untilEnd(client: RedisClient): Promise<void> {
  return new Promise((resolve) => client.once('end', () => resolve()));
}

/** Commands that the driver still collects for a pipeline would come after `QUIT`: they go first. */
async function quit(client: RedisClient, deadline: number): Promise<void> {
  const send = client.sendCommand.bind(client);
  refuseCommands(client, send);
  while (client.autoPipelineQueueSize > 0 && performance.now() < deadline) await sleep(POLL_INTERVAL);
  client.sendCommand = send;
  const quitting = client.quit();
  refuseCommands(client);
  await quitting;
}

/**
 * Rejects new commands: sent after `QUIT` they would be lost, and nobody could tell whether they were executed.
 *
 * @param sendPipelined lets pass what belongs to a pipeline, since the driver may have collected it before
 */
function refuseCommands(client: RedisClient, sendPipelined?: Cluster['sendCommand']): void {
  const refuse: Cluster['sendCommand'] = (command, stream, node) => {
    if (sendPipelined && stream) return sendPipelined(command, stream, node);
    command.reject(closedError());
    return command.promise;
  };
  client.options.enableAutoPipelining = false;
  client.sendCommand = refuse;
}

function closedError(): RedisClosedError {
  return new RedisClosedError('The connection is closed: the command was not sent');
}

function rejectUnsent(client: RedisClient): void {
  if (isCluster(client)) clusterInternals(client).flushQueue(closedError());
  else redisInternals(client).flushQueue(closedError(), { commandQueue: false });
}

function destroySockets(client: RedisClient): void {
  const nodes = isCluster(client) ? client.nodes() : [client];
  for (const node of nodes) redisInternals(node).stream?.destroy();
}

/** The driver, told to disconnect between two attempts to connect, does not end. */
function end(client: RedisClient): void {
  if (isCluster(client)) {
    const internals = clusterInternals(client);
    internals.setStatus('end');
    internals.invokeReadyDelayedCallbacks(closedError());
  } else redisInternals(client).setStatus('end');
  rejectUnsent(client);
}
