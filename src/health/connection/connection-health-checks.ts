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

  /** Of the connections that readiness looks at. */
  all(): ConnectionHealthCheck[] {
    const { connections } = this.#options;
    const isMeant = ({ name }: RedisConnection) =>
      !connections.has(name) || connections.get(name) !== undefined;
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
   * Looks at the connections from now on.
   *
   * @throws HealthConfigurationError where the options name connections that the application does not have
   */
  async start(): Promise<void> {
    this.#checkNames();
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
    const problems = unknown.map(({ option, name }) => this.#unknown(option, name));
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
