import { loadPeer } from '../support/peers.js';
import { ttl, type Subject, type Tiers } from './subject.js';

interface Bentocache {
  get(options: { key: string }): Promise<unknown>;
  set(options: { key: string; value: unknown; tags?: readonly string[] }): Promise<unknown>;
  getOrSet(options: {
    key: string;
    factory: () => Promise<unknown>;
    tags?: readonly string[];
  }): Promise<unknown>;
  deleteByTag(options: { tags: string[] }): Promise<unknown>;
  disconnectAll(): Promise<void>;
}

interface Store {
  useL1Layer(driver: unknown): Store;
  useL2Layer(driver: unknown): Store;
  useBus(driver: unknown): Store;
}

type Driver = (options: object) => unknown;

/** With `values: 'shared'` its local tier keeps the objects instead of JSON, which is not its default. */
export async function openBentocache(
  tiers: Tiers,
  values: 'serialised' | 'shared' = 'serialised',
): Promise<Subject> {
  const { BentoCache, bentostore } = await loadPeer<{
    BentoCache: new (options: object) => Bentocache;
    bentostore: () => Store;
  }>('bentocache');
  const { memoryDriver } = await loadPeer<{ memoryDriver: Driver }>('bentocache/drivers/memory');
  const { redisDriver, redisBusDriver } = await loadPeer<{ redisDriver: Driver; redisBusDriver: Driver }>(
    'bentocache/drivers/redis',
  );

  let store = bentostore();
  if (tiers.local)
    store = store.useL1Layer(memoryDriver({ maxItems: 100_000, serialize: values === 'serialised' }));
  if (tiers.redis) store = store.useL2Layer(redisDriver({ connection: connectionOf(tiers.redis) }));
  if (tiers.redis && tiers.local)
    store = store.useBus(redisBusDriver({ connection: connectionOf(tiers.redis) }));
  const cache = new BentoCache({ default: 'bench', ttl, prefix: tiers.namespace, stores: { bench: store } });
  return {
    name: values === 'shared' ? 'bentocache, serialize: false' : 'bentocache',
    get: (key) => cache.get({ key }),
    set: (key, value, tags) => cache.set(tags ? { key, value, tags } : { key, value }),
    getOrSet: (key, factory, tags) => cache.getOrSet(tags ? { key, factory, tags } : { key, factory }),
    invalidateTag: (tag) => cache.deleteByTag({ tags: [tag] }),
    close: () => cache.disconnectAll(),
  };
}

function connectionOf(url: string): object {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), enableAutoPipelining: true };
}
