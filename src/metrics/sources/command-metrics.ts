import { COMMAND_CHANNEL, type CommandEvent, type RedisConnections } from '../../redis/index.js';
import { BoundedSeries } from '../exposition/bounded-series.js';
import { Counts } from '../exposition/count.js';
import { DurationHistogram } from '../exposition/duration-histogram.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';

/** Names of commands that each connection has series of its own for: `client.call` sends any name. */
const MOST_COMMANDS = 200;
const MOST_CODES = 30;

class CommandFigures {
  readonly took: DurationHistogram;
  readonly errors = new Counts('code', MOST_CODES);

  constructor(bounds: readonly number[]) {
    this.took = new DurationHistogram(bounds);
  }
}

interface ConnectionFigures {
  readonly connection: string;
  readonly commands: BoundedSeries<CommandFigures>;
}

/** Commands of the shared clients: how long they took, and how they failed. */
export class CommandMetrics implements MetricSource {
  readonly listeners = new Map([
    [COMMAND_CHANNEL, (message: unknown) => this.#count(message as CommandEvent)],
  ]);
  readonly metrics: readonly MetricDefinition[] = [
    {
      name: 'command_duration_seconds',
      help: 'Commands of the shared client, from the call to the reply, failed ones too.',
      type: 'histogram',
      collect: () => this.#collect((figures, labels) => figures.took.samples(labels)),
    },
    {
      name: 'command_errors_total',
      help: 'Commands of the shared client that have failed, by the code of the error.',
      type: 'counter',
      collect: () => this.#collect((figures, labels) => figures.errors.samples(labels)),
    },
  ];
  readonly #connections: RedisConnections;
  readonly #bounds: readonly number[];
  readonly #byId = new Map<string, ConnectionFigures>();

  constructor(connections: RedisConnections, bounds: readonly number[]) {
    this.#connections = connections;
    this.#bounds = bounds;
  }

  /** Runs for each command: two look-ups and two additions. */
  #count({ connectionId, connection, command, took, error }: CommandEvent): void {
    const its = this.#byId.get(connectionId) ?? this.#meet(connectionId, connection);
    if (!its) return;
    const figures = its.commands.of(command);
    figures.took.observe(took);
    if (error !== undefined) figures.errors.add(error);
  }

  /** Undefined for a connection of another application. */
  #meet(id: string, connection: string): ConnectionFigures | undefined {
    if (this.#connections.get(connection)?.id !== id) return undefined;
    const commands = new BoundedSeries(() => new CommandFigures(this.#bounds), MOST_COMMANDS);
    const figures = { connection, commands };
    this.#byId.set(id, figures);
    return figures;
  }

  *#collect(
    samples: (figures: CommandFigures, labels: Sample['labels']) => Iterable<Sample>,
  ): Iterable<Sample> {
    for (const { connection, commands } of this.#byId.values())
      for (const [command, figures] of commands) yield* samples(figures, { connection, command });
  }
}
