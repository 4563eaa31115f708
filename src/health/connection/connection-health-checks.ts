import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConfigurationProblem, RedisConnection, RedisConnections } from '../../redis/index.js';
import type { ConnectionUser } from '../../redis/shared.js';
import { HealthConfigurationError } from '../options/health-configuration-error.js';
import type {
  ResolvedConnectionHealthOptions,
  ResolvedHealthOptions,
} from '../options/resolved-health-options.js';
import { ConnectionHealthCheck } from './connection-health-check.js';

/** The checks of an application's connections: one of each, whoever asks for it. */
export class ConnectionHealthChecks implements ConnectionUser {
  readonly #connections: RedisConnections;
  readonly #options: ResolvedHealthOptions;
  readonly #checks = new Map<RedisConnection, ConnectionHealthCheck>();

  constructor(connections: RedisConnections, options: ResolvedHealthOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** Of the connections that readiness looks at: those that are not left out, and that somebody uses. */
  all(): ConnectionHealthCheck[] {
    const { connections } = this.#options;
    const isMeant = ({ name, state }: RedisConnection) =>
      state !== 'idle' && (!connections.has(name) || connections.get(name) !== undefined);
    return [...this.#connections].filter(isMeant).map((connection) => this.#of(connection));
  }

  /** Whether the application is not ready without it. */
  isRequired({ name, startup }: RedisConnection): boolean {
    const { required } = this.#options;
    return required ? required.includes(name) : startup === 'required';
  }

  /** @throws HealthConfigurationError where there is no such connection */
  get(name: string, subject: string): ConnectionHealthCheck {
    const connection = this.#connections.get(name);
    if (connection) return this.#of(connection);
    throw new HealthConfigurationError(subject, [this.#unknown('connection', name)]);
  }

  optionsOf({ name }: RedisConnection): ResolvedConnectionHealthOptions {
    return this.#options.connections.get(name) ?? this.#options.defaults;
  }

  /**
   * Looks at the connections from now on. Those that `required` names are opened where nobody else has.
   *
   * @throws HealthConfigurationError where the options name connections that the application does not have, and where it has none
   */
  async start(): Promise<void> {
    this.#checkNames();
    const named = this.#options.required?.flatMap((name) => this.#connections.get(name) ?? []) ?? [];
    const unused = named.filter(({ state }) => state === 'idle');
    for (const { client } of unused) void client;
    await Promise.all(unused.map((connection) => connection.start()));
    // Those that were opened just now are no longer idle in the next turn.
    await nextTurn();
    this.all();
  }

  async stop(): Promise<void> {}

  #checkNames(): void {
    const { required = [], connections } = this.#options;
    const named = [
      ...required.map((name) => ({ option: 'required', name })),
      ...Array.from(connections.keys(), (name) => ({ option: `connections.${name}`, name })),
    ];
    const unknown = named.filter(({ name }) => !this.#connections.get(name));
    const problems: ConfigurationProblem[] = unknown.map(({ option, name }) => this.#unknown(option, name));
    if ([...this.#connections].length === 0)
      problems.push({
        option: 'connections',
        message: 'there is no Redis connection to look at; RedisModule.forRoot() makes one',
      });
    if (problems.length > 0) throw new HealthConfigurationError('RedisHealthModule', problems);
  }

  #unknown(option: string, name: string): ConfigurationProblem {
    const names = Array.from(this.#connections, (each) => `'${each.name}'`).join(', ');
    return { option, message: `no Redis connection is called '${name}'; there is ${names || 'none'}` };
  }

  #of(connection: RedisConnection): ConnectionHealthCheck {
    const check =
      this.#checks.get(connection) ?? new ConnectionHealthCheck(connection, this.#options.cacheFor);
    this.#checks.set(connection, check);
    return check;
  }
}
