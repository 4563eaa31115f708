import { afterAll, afterEach } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { startConnection, startGuardedRedis } from './redis-application.js';

type ServerOptions = NonNullable<Parameters<typeof startRedis>[0]>;

/** Servers and applications that are closed after each test, the last first. */
export class Opened {
  readonly #closers: (() => Promise<unknown>)[] = [];
  /** Kept from test to test, and whether each is free. */
  readonly #emptyServers = new Map<RedisServer, boolean>();

  constructor() {
    afterEach(async () => {
      for (const close of this.#closers.splice(0).toReversed()) await close();
    });
    afterAll(async () => {
      for (const server of this.#emptyServers.keys()) await server.stop();
    });
  }

  /** Closed after the test, unless it is disposed of before. */
  add<T extends AsyncDisposable>(resource: T): T {
    this.#closers.push(async () => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** A server whose user has the guide's smallest ACL. */
  async guarded(options?: ServerOptions): Promise<RedisServer> {
    return this.add(await startGuardedRedis(options));
  }

  /** A server as the options say. */
  async server(options: ServerOptions): Promise<RedisServer> {
    return this.add(await startRedis(options));
  }

  /**
   * A server without options that is empty, and that nobody else has for the time of the test. It is kept for the next test: one that does
   * more to it than to write asks for a `server`.
   */
  async emptyServer(): Promise<RedisServer> {
    const [free] = [...this.#emptyServers].find(([, isFree]) => isFree) ?? [];
    const server = free ?? (await startRedis());
    this.#emptyServers.set(server, false);
    this.#closers.push(async () => {
      await (await server.admin()).flushall();
      this.#emptyServers.set(server, true);
    });
    return server;
  }

  /** An application with one connection. */
  async connection(options: RedisModuleOptions): ReturnType<typeof startConnection> {
    const started = await startConnection(options);
    this.#closers.push(() => started.app.close());
    return started;
  }
}
