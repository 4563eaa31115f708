import { Injectable } from '@nestjs/common';
import type { RedisConnection } from './connection/redis-connection.js';
import { RedisConfigurationError } from './options/configuration-error.js';

/** What works with the connections of an application in the background. */
export interface ConnectionUser {
  /** Called when the connections are ready, before any `onModuleInit` of the application. */
  start?(): Promise<void>;
  /** Called after the last `onApplicationShutdown` of the application, before the connections are closed. */
  stop(): Promise<void>;
}

/** All connections of an application, in the order in which they were made. */
@Injectable()
export class RedisConnections implements Iterable<RedisConnection> {
  readonly #connections = new Map<string, RedisConnection>();
  readonly #users = new Set<ConnectionUser>();

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

  /** @internal Has it started and stopped in order with the connections. */
  attach(user: ConnectionUser): void {
    this.#users.add(user);
  }

  /** @internal Starts all side by side, then their users; when one fails, closes the others too, so that nothing keeps the process alive. */
  async start(): Promise<void> {
    const failures = (await startAll(this.#connections.values())) ?? (await startAll(this.#users.values()));
    if (!failures) return;
    await this.close();
    const [first, ...others] = failures;
    if (others.length > 0) first.message = failures.map(({ message }) => message).join('\n');
    throw first;
  }

  /** @internal The application begins to shut down. */
  drain(): void {
    for (const connection of this) connection.drain();
  }

  /** @internal */
  async close(): Promise<void> {
    const stopped = await Promise.allSettled(Array.from(this.#users, async (user) => user.stop()));
    await Promise.all(Array.from(this, (connection) => connection.close()));
    const failure = stopped.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }
}

/** @returns why some could not be started, if so */
async function startAll(
  parts: Iterable<{ start?(): Promise<void> }>,
): Promise<[Error, ...Error[]] | undefined> {
  const outcomes = await Promise.allSettled(Array.from(parts, async (part) => part.start?.()));
  const [first, ...others] = outcomes
    .filter((outcome) => outcome.status === 'rejected')
    .map((outcome) => outcome.reason as Error);
  return first && [first, ...others];
}
