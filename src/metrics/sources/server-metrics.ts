import type { Redis } from 'ioredis';
import { AskedNode } from '../../inquiry/asked-node.js';
import { onConnectionChange } from '../../inquiry/connection-change.js';
import { knownNodes, type KnownNode } from '../../inquiry/known-nodes.js';
import type { Omission } from '../../inquiry/omission.js';
import { RedisUnavailableError, type RedisConnection, type RedisConnections } from '../../redis/index.js';
import { serverAddress } from '../../redis/shared.js';
import { SharedQuestion } from '../../timing/shared-question.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';
import { readServerFigures, type ScrapedFigures } from './server-figures.js';

interface ServerFigure {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly of: (figures: ScrapedFigures) => number | undefined;
}

const FIGURES: readonly ServerFigure[] = [
  {
    name: 'server_memory_used_bytes',
    type: 'gauge',
    help: 'Memory that the server uses.',
    of: ({ used }) => used,
  },
  {
    name: 'server_memory_limit_bytes',
    type: 'gauge',
    help: 'Memory that the server may use (maxmemory), where it has a limit.',
    of: ({ limit }) => limit,
  },
  {
    name: 'server_memory_ratio',
    type: 'gauge',
    help: 'Which part of its limit the server uses, as it compares them, where it has one.',
    of: ({ ratio }) => ratio,
  },
  {
    name: 'server_evicted_keys_total',
    type: 'counter',
    help: 'Keys that the server has evicted since it started.',
    of: ({ evicted }) => evicted,
  },
  {
    name: 'server_connected_clients',
    type: 'gauge',
    help: 'Connections that clients have to the server.',
    of: ({ clients }) => clients,
  },
];

/** Of a client that has lost its server, which one of a Cluster may have while the others serve. Not of one that is only now connecting, to be asked. */
const AWAY: ReadonlySet<Redis['status']> = new Set(['reconnecting', 'close', 'end']);

/** How the servers are asked. */
export interface Asking {
  /** Milliseconds for which an answer is used. */
  readonly cacheFor: number;
  /** How many milliseconds a scrape waits. */
  readonly timeout: number;
}

interface Answer {
  /** The server that has answered, as `host:port` where a connection may come to another one; the name of the connection elsewhere. */
  readonly node: string;
  readonly figures: ScrapedFigures | undefined;
  readonly omitted: readonly Omission[];
}

/**
 * The servers of the connections, each master of a Cluster, which are asked at a scrape. Each is a question of its own: one that is silent keeps
 * no scrape from what the others have said.
 */
export class ServerMetrics implements MetricSource {
  readonly metrics: readonly MetricDefinition[] = FIGURES.map(({ of, ...figure }) => ({
    ...figure,
    aggregator: 'max',
    collect: () => this.#collect(of),
  }));
  readonly #connections: RedisConnections;
  readonly #asking: Asking;
  /** By the client of the server. */
  readonly #questions = new WeakMap<Redis, SharedQuestion<Answer>>();

  constructor(connections: RedisConnections, asking: Asking) {
    this.#connections = connections;
    this.#asking = asking;
  }

  /** Whether the servers of each connection have told all that they were asked. Of one that nobody uses, nothing is asked. */
  async answered(): Promise<Sample[]> {
    const used = Array.from(this.#connections).filter(({ state }) => state !== 'idle');
    const samples = used.map(async (connection) => {
      const answers = await this.#ask(connection);
      const isWhole = answers.length > 0 && answers.every((answer) => answer?.omitted.length === 0);
      return { labels: { source: 'server', connection: connection.name }, value: Number(isWhole) };
    });
    return Promise.all(samples);
  }

  async #collect(of: ServerFigure['of']): Promise<Sample[]> {
    const samples = Array.from(this.#connections, async (connection) => {
      const answers = await this.#ask(connection);
      return answers.flatMap((answer) => {
        const value = answer?.figures && of(answer.figures);
        if (value === undefined) return [];
        return [{ labels: { connection: connection.name, node: answer!.node }, value }];
      });
    });
    return (await Promise.all(samples)).flat();
  }

  /** What each server has answered; undefined where it has not, in time. Nothing where there is none, or they are not known. */
  async #ask(connection: RedisConnection): Promise<readonly (Answer | undefined)[]> {
    // To wait for one that is away would take all the time; one that nobody uses is not opened for it.
    if (connection.state !== 'ready') return [];
    const nodes = orNone(() => knownNodes(connection));
    const { timeout } = this.#asking;
    return Promise.all(nodes.map(async (node) => this.#questionTo(connection, node)?.answer(timeout)));
  }

  #questionTo(connection: RedisConnection, node: KnownNode): SharedQuestion<Answer> | undefined {
    const { client } = node;
    if (!client) return undefined;
    const known = this.#questions.get(client);
    if (known) return known;
    const question = new SharedQuestion({
      ask: () => ask(connection, node),
      isOpen: () => connection.state === 'ready' && !AWAY.has(client.status),
      keepFor: this.#asking.cacheFor,
    });
    onConnectionChange(client, () => question.forget());
    this.#questions.set(client, question);
    return question;
  }
}

/** Without a limit of its own: it is asked again when it has answered. */
async function ask({ topology }: RedisConnection, node: KnownNode): Promise<Answer> {
  const asked = new AskedNode(node);
  const figures = await readServerFigures(asked);
  // Sentinels name another server after a failover: what it counts is another series.
  const address = topology === 'sentinel' && node.client ? serverAddress(node.client) : undefined;
  return { node: address ?? node.name, figures, omitted: asked.omitted };
}

/** Where the masters of a Cluster are not known, none is asked. */
function orNone(nodes: () => KnownNode[]): KnownNode[] {
  try {
    return nodes();
  } catch (error) {
    if (error instanceof RedisUnavailableError) return [];
    throw error;
  }
}
