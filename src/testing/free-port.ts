import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** Every server and proxy of `rednest/testing` listens here: nothing outside this machine can reach it. */
export const loopback = '127.0.0.1';

/** Where a server listens. */
export interface ServerAddress {
  host: string;
  port: number;
}

/** How far the bus port of a Cluster node lies above its port: fixed by Redis. */
export const busOffset = 10_000;

// Below the range from which operating systems take the ports of outgoing connections, so that a server that was killed finds
// its port free when it is restarted.
const lowestPort = 10_000;
const portsInRange = 12_000;
const attempts = 200;

/**
 * Of so many consecutive ports, each worker of a test runner takes one (Jest numbers its workers, and so does Vitest): a server that was
 * killed does not lose its port to a test beside it.
 */
const shares = 8;
const share = Number(process.env['JEST_WORKER_ID'] ?? process.env['VITEST_POOL_ID'] ?? 0) % shares || 0;

/**
 * Finds ports that nobody listens on, all different. They are not reserved: another process may take one before the server
 * does, so a start that fails with "Address already in use" is to be tried again with other ports.
 *
 * @param options.count How many.
 * @param options.withBus Whether the Cluster bus port that belongs to each must be free too. @default false
 * @throws Error when none is found
 */
export async function findFreePorts(options: { count: number; withBus?: boolean }): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < attempts && found.size < options.count; attempt++) {
    const port = lowestPort + randomInt(portsInRange / shares) * shares + share;
    if (await isUsable(port, options.withBus ?? false, found)) found.add(port);
  }
  if (found.size < options.count) {
    throw new Error(`No ${options.count} free ports from ${lowestPort} to ${lowestPort + portsInRange - 1}`);
  }
  return [...found];
}

async function isUsable(port: number, withBus: boolean, taken: Set<number>): Promise<boolean> {
  // The bus port of one node may lie in the range that ports are taken from.
  if (taken.has(port) || taken.has(port - busOffset) || taken.has(port + busOffset)) return false;
  if (!(await isFree(port))) return false;
  return !withBus || isFree(port + busOffset);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, loopback, () => server.close(() => resolve(true)));
  });
}
