import { Inquiry, type Answers } from '../../diagnostics/inquiry/inquiry.js';
import type { RedisConnection, RedisConnections } from '../../redis/index.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import { Question } from '../scrape/question.js';
import type { MetricSource } from './metric-source.js';
import { readServerFigures, type ServerFigures } from './server-figures.js';

interface ServerFigure {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly of: (figures: ServerFigures) => number | undefined;
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
    help: 'Which part of its limit the server uses, where it has one.',
    of: ({ used, limit }) => (used === undefined || limit === undefined ? undefined : used / limit),
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

/** How a {@link Question} is asked. */
export interface Asking {
  readonly cacheFor: number;
  readonly timeout: number;
}

/** Of the time for an answer: one server that is silent keeps no scrape from what the others have said. */
const SHARE_OF_A_COMMAND = 0.8;

type Servers = Question<Answers<ServerFigures>>;

/** The servers of the connections, each master of a Cluster, which are asked at a scrape. */
export class ServerMetrics implements MetricSource {
  readonly metrics: readonly MetricDefinition[] = FIGURES.map(({ of, ...figure }) => ({
    ...figure,
    collect: () => this.#collect(of),
  }));
  readonly #connections: RedisConnections;
  readonly #asking: Asking;
  readonly #questions = new Map<RedisConnection, Servers>();

  constructor(connections: RedisConnections, asking: Asking) {
    this.#connections = connections;
    this.#asking = asking;
  }

  /** Whether the servers of each connection have told all that they were asked. */
  async answered(): Promise<Sample[]> {
    const samples = Array.from(this.#connections, async (connection) => {
      const answers = await this.#questionTo(connection).ask();
      const isWhole = answers?.omitted.length === 0;
      return { labels: { source: 'server', connection: connection.name }, value: Number(isWhole) };
    });
    return Promise.all(samples);
  }

  async #collect(of: ServerFigure['of']): Promise<Sample[]> {
    const samples = Array.from(this.#connections, async (connection) => {
      const { nodes = [] } = (await this.#questionTo(connection).ask()) ?? {};
      return nodes.flatMap(({ node, ...figures }) => {
        const value = of(figures);
        return value === undefined ? [] : [{ labels: { connection: connection.name, node }, value }];
      });
    });
    return (await Promise.all(samples)).flat();
  }

  #questionTo(connection: RedisConnection): Servers {
    const question = this.#questions.get(connection) ?? this.#newQuestion(connection);
    this.#questions.set(connection, question);
    return question;
  }

  #newQuestion(connection: RedisConnection): Servers {
    const { cacheFor, timeout } = this.#asking;
    const inquiry = new Inquiry(connection, timeout * SHARE_OF_A_COMMAND);
    return new Question({
      ask: () => inquiry.ofAll(readServerFigures),
      // To wait for one that is away would take all the time; one that nobody uses is not opened for it.
      isOpen: () => connection.state === 'ready',
      cacheFor,
      timeout,
    });
  }
}
