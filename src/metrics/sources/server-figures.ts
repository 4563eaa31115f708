import type { AskedNode } from '../../diagnostics/inquiry/asked-node.js';

/** What a server says of itself at a scrape. Sizes are bytes. What it does not say is undefined. */
export interface ServerFigures {
  readonly used: number | undefined;
  /** `maxmemory`; undefined also where there is no limit. */
  readonly limit: number | undefined;
  /** Keys, since it started. */
  readonly evicted: number | undefined;
  readonly clients: number | undefined;
}

/** Three sections of `INFO`. Not what `RedisInspector` tells of clients: that asks for a list of them all. */
export async function readServerFigures(node: AskedNode): Promise<ServerFigures | undefined> {
  const [memory, stats, clients] = await Promise.all([
    node.info('memory'),
    node.info('stats'),
    node.info('clients'),
  ]);
  if (!memory && !stats && !clients) return undefined;
  return {
    used: memory?.number('used_memory'),
    limit: memory?.number('maxmemory') || undefined,
    evicted: stats?.number('evicted_keys'),
    clients: clients?.number('connected_clients'),
  };
}
