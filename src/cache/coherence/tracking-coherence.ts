import type { Redis } from 'ioredis';
import { ListeningCoherence, type ListeningOptions } from './listening-coherence.js';

/** Where a RESP2 connection hears of invalidated keys. */
const INVALIDATE = '__redis__:invalidate';

/**
 * The server itself tells of every change of a key with the cache's prefix, whoever made it, expiry and eviction included: client-side
 * caching in broadcasting mode (https://redis.io/docs/latest/develop/reference/client-side-caching/#broadcasting-mode). Each listener tracks
 * on its own behalf, so that the connections that read and write need to know nothing of it. What this process writes is told of too.
 */
export class TrackingCoherence extends ListeningCoherence {
  readonly mode = 'tracking';
  readonly #prefix: string;

  constructor(options: ListeningOptions) {
    super(options);
    this.#prefix = `${options.namespace}:cache:`;
  }

  protected async arm(client: Redis): Promise<void> {
    const id = await client.client('ID');
    await Promise.all([
      client.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', this.#prefix),
      client.subscribe(INVALIDATE),
    ]);
  }

  /** @param payload keys; null after `FLUSHALL` and `FLUSHDB` */
  protected read(_channel: string, payload: unknown): readonly string[] | undefined {
    return Array.isArray(payload) ? payload.map(String) : undefined;
  }

  protected shardName(node: string): string {
    return node;
  }

  announce(): void {}
}
