import { loadPeer } from '../../support/peers.js';
import { openPeerClient, type PeerClient } from './peer-client.js';
import { ttl, type Held, type Place, type Subject } from './subject.js';

interface Mutex extends Held {
  acquire(): Promise<void>;
}

type MutexClass = new (client: PeerClient, key: string, options: object) => Mutex;

/** @param retryInterval milliseconds between two attempts; undefined for its default: 10 */
export async function openRedisSemaphore(
  { url, namespace }: Place,
  retryInterval?: number,
): Promise<Subject> {
  const { Mutex } = await loadPeer<{ Mutex: MutexClass }>('redis-semaphore');
  const client = await openPeerClient(url);
  // By default it gives up after ten seconds, where others wait on.
  const options = { lockTimeout: ttl, acquireTimeout: Infinity, ...(retryInterval && { retryInterval }) };
  // It renews by default, as rednest does.
  const acquire = async (resource: string): Promise<Held> => {
    const mutex = new Mutex(client, `${namespace}:${resource}`, options);
    await mutex.acquire();
    return mutex;
  };
  return {
    name: retryInterval ? `redis-semaphore, ${retryInterval} ms` : 'redis-semaphore',
    acquire,
    keep: acquire,
    close: () => client.quit(),
  };
}
