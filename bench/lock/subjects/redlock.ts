import { loadPeer } from '../../support/peers.js';
import { openPeerClient, type PeerClient } from './peer-client.js';
import { ttl, type Held, type Place, type Subject } from './subject.js';

interface Redlock {
  acquire(resources: string[], duration: number): Promise<Held>;
  using(resources: string[], duration: number, routine: () => Promise<void>): Promise<void>;
}

type RedlockClass = new (clients: PeerClient[], settings: object) => Redlock;

/** Milliseconds between two attempts. */
export interface Polling {
  readonly retryDelay: number;
  readonly retryJitter: number;
}

/** @param polling undefined for its defaults: 200 ms, 100 more or less */
export async function openRedlock(place: Place, polling?: Polling): Promise<Subject> {
  const { default: constructor } = await loadPeer<{ default: RedlockClass }>('redlock');
  return open('redlock', constructor, place, polling);
}

/** @param polling undefined for its defaults: 200 ms, 100 more or less */
export async function openSesamecare(place: Place, polling?: Polling): Promise<Subject> {
  const { Redlock: constructor } = await loadPeer<{ Redlock: RedlockClass }>('@sesamecare-oss/redlock');
  return open('@sesamecare-oss/redlock', constructor, place, polling);
}

async function open(
  name: string,
  constructor: RedlockClass,
  { url, namespace }: Place,
  polling?: Polling,
): Promise<Subject> {
  const client = await openPeerClient(url);
  // By default it gives up after ten attempts, where others wait on.
  const redlock = new constructor([client], { retryCount: -1, ...polling });
  return {
    name: polling ? `${name}, ${polling.retryDelay} ms` : name,
    acquire: (resource) => redlock.acquire([`${namespace}:${resource}`], ttl),
    keep: (resource) => keep(redlock, `${namespace}:${resource}`),
    close: () => client.quit(),
  };
}

/** What renews is only its `using`. */
function keep(redlock: Redlock, resource: string): Promise<Held> {
  return new Promise((resolve, reject) => {
    const done = redlock.using([resource], ttl, () => {
      return new Promise<void>((finish) => {
        const release = (): Promise<void> => {
          finish();
          return done;
        };
        resolve({ release });
      });
    });
    done.catch(reject);
  });
}
