import { Injectable } from '@nestjs/common';
import type { RedisConnection } from './connection/redis-connection.js';
import { RedisConfigurationError } from './options/configuration-error.js';

/** All connections of an application, in the order in which they were made. */
@Injectable()
export class RedisConnections implements Iterable<RedisConnection> {
  readonly #connections = new Map<string, RedisConnection>();

  [Symbol.iterator](): Iterator<RedisConnection> {
    return this.#connections.values();
  }

  /** The connection of that name, if there is one. */
  get(name: string): RedisConnection | undefined {
    return this.#connections.get(name);
  }

  /** @internal */
  add(connection: RedisConnection): RedisConnection {
    const { name } = connection;
    if (this.#connections.has(name)) {
      throw new RedisConfigurationError(name, [
        { option: 'name', message: `two connections are called '${name}'; give one of them another name` },
      ]);
    }
    this.#connections.set(name, connection);
    return connection;
  }

  /** @internal Starts all side by side; when one fails, closes the others too, so that nothing keeps the process alive. */
  async start(): Promise<void> {
    const outcomes = await Promise.allSettled(Array.from(this, (connection) => connection.start()));
    const failures = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map((outcome) => outcome.reason as Error);
    const [first] = failures;
    if (!first) return;
    await this.close();
    if (failures.length > 1) first.message = failures.map(({ message }) => message).join('\n');
    throw first;
  }

  /** @internal */
  async close(): Promise<void> {
    await Promise.all(Array.from(this, (connection) => connection.close()));
  }
}
