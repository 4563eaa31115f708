import { loadPeer } from '../../support/peers.js';
import { openPeerClient, type PeerClient } from './peer-client.js';
import { ttl, type Place, type Subject } from './subject.js';

interface SimpleLock {
  acquire(): Promise<unknown>;
  release(handle: unknown): Promise<unknown>;
}

interface Universal {
  readonly IoredisAdapter: new (client: PeerClient) => unknown;
  createLock(options: object): SimpleLock;
}

/**
 * In its mode `lean`, which is the fastest.
 *
 * @param retryDelay milliseconds between two attempts; undefined for its default: 100
 */
export async function openRedlockUniversal({ url, namespace }: Place, retryDelay?: number): Promise<Subject> {
  const universal = await loadPeer<Universal>('redlock-universal');
  const client = await openPeerClient(url);
  // By default it gives up after four attempts, where others wait on.
  const options = { ttl, performance: 'lean', retryAttempts: 1_000_000, ...(retryDelay && { retryDelay }) };
  const adapter = new universal.IoredisAdapter(client);
  return {
    name: retryDelay ? `redlock-universal, ${retryDelay} ms` : 'redlock-universal',
    acquire: async (resource) => {
      const lock = universal.createLock({ adapter, key: `${namespace}:${resource}`, ...options });
      const handle = await lock.acquire();
      return { release: () => lock.release(handle) };
    },
    close: () => client.quit(),
  };
}
