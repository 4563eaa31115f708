import {
  CONNECTION_CHANNEL,
  type ConnectionEvent,
  type ConnectionState,
  type RedisConnection,
  type RedisConnections,
} from '../../redis/index.js';
import { Counts } from '../exposition/count.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';
import type { OwnEvents } from './own-events.js';

const STATES = Object.keys({
  idle: true,
  connecting: true,
  ready: true,
  reconnecting: true,
  closing: true,
  closed: true,
} satisfies Record<ConnectionState, true>);

const MOST_ROLES = 10;

/** What a connection has lost, and made again, by its roles. */
class Changes {
  readonly losses = new Counts('role', MOST_ROLES);
  readonly reconnects = new Counts('role', MOST_ROLES);
}

/** The state of the connections, and their dedicated ones. */
export class ConnectionMetrics implements MetricSource {
  readonly listeners: ReadonlyMap<string, (message: unknown) => void>;
  readonly metrics: readonly MetricDefinition[] = [
    {
      name: 'connection_state',
      help: 'State of the shared client: 1 for the one that it is in.',
      type: 'gauge',
      collect: () =>
        this.#each(({ state }) =>
          STATES.map((each) => ({ labels: { state: each }, value: Number(each === state) })),
        ),
    },
    {
      name: 'connection_losses_total',
      help: 'How often a connection that was ready was lost.',
      type: 'counter',
      collect: () => this.#each(({ name }) => this.#changes.get(name)?.losses.samples() ?? []),
    },
    {
      name: 'connection_reconnects_total',
      help: 'How often a connection that was lost, or could not be made, was ready again.',
      type: 'counter',
      collect: () => this.#each(({ name }) => this.#changes.get(name)?.reconnects.samples() ?? []),
    },
    {
      name: 'pool_connections',
      help: 'Dedicated connections, in use and free.',
      type: 'gauge',
      collect: () =>
        this.#each(({ poolStats: { used, free } }) => [
          { labels: { state: 'used' }, value: used },
          { labels: { state: 'free' }, value: free },
        ]),
    },
    {
      name: 'pool_waiting',
      help: 'Takers that wait for a dedicated connection.',
      type: 'gauge',
      collect: () => this.#each(({ poolStats: { waiting } }) => [{ labels: {}, value: waiting }]),
    },
  ];
  readonly #connections: RedisConnections;
  readonly #changes = new Map<string, Changes>();

  constructor(connections: RedisConnections, own: OwnEvents) {
    this.#connections = connections;
    this.listeners = new Map([
      [CONNECTION_CHANNEL, own.only((event: ConnectionEvent) => this.#count(event))],
    ]);
  }

  #count({ connection, role, previous, state }: ConnectionEvent): void {
    const changes = this.#changes.get(connection) ?? new Changes();
    this.#changes.set(connection, changes);
    if (previous === 'ready' && state === 'reconnecting') changes.losses.add(role);
    if (previous === 'reconnecting' && state === 'ready') changes.reconnects.add(role);
  }

  *#each(samples: (connection: RedisConnection) => Iterable<Sample>): Iterable<Sample> {
    for (const connection of this.#connections)
      for (const { labels, value } of samples(connection))
        yield { labels: { connection: connection.name, ...labels }, value };
  }
}
