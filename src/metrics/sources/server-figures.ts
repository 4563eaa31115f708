import type { AskedNode } from '../../inquiry/asked-node.js';
import { Info, readClients, readMemory } from '../../redis/shared.js';

/** What a server says of itself at a scrape. Sizes are bytes. What it does not say is undefined. */
export interface ScrapedFigures {
  readonly used: number | undefined;
  /** `maxmemory`; undefined also where there is no limit. */
  readonly limit: number | undefined;
  /** Which part of the limit is used, as the server compares them. */
  readonly ratio: number | undefined;
  /** Keys, since it started. */
  readonly evicted: number | undefined;
  readonly clients: number | undefined;
}

const NOTHING = new Info('');

/** Three sections of `INFO`. Not what `RedisInspector` tells of clients: that asks for a list of them all. */
export async function readServerFigures(node: AskedNode): Promise<ScrapedFigures | undefined> {
  const [memory, stats, clients] = await Promise.all([
    node.info('memory'),
    node.info('stats'),
    node.info('clients'),
  ]);
  if (!memory && !stats && !clients) return undefined;
  const { used, limit, ratio } = readMemory(memory ?? NOTHING);
  return {
    used,
    limit,
    ratio,
    evicted: stats?.number('evicted_keys'),
    clients: readClients(clients ?? NOTHING).connected,
  };
}
