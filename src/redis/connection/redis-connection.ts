import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { ChainableCommander, Cluster, Redis } from 'ioredis';
import { CredentialsSource } from '../driver/credentials-source.js';
import { authenticateAgain } from '../driver/install-credentials.js';
import type { RedisClient } from '../driver/redis-client.js';
import { toConnectionError } from '../errors/classify.js';
import { RedisAuthError, RedisClosedError } from '../errors/errors.js';
import type { RedisError } from '../errors/redis-error.js';
import { showValue } from '../options/mask.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { runOptimistic, type OptimisticOptions } from '../transactions/optimistic.js';
import { closeClient } from './close-client.js';
import type { ConnectionState } from './connection-events.js';
import { DedicatedConnections, type DedicatedOptions } from './dedicated-connections.js';
import type { PoolStats } from './dedicated-pool.js';
import { LibraryClients } from './library-clients.js';
import { type MasterHandlers, type MasterWatch } from './master-watch.js';
import { Masters } from './masters.js';
import { openClient, type MonitoredClient, type Purpose } from './open-client.js';

/** The others are names of rednest's own clients. */
const LIBRARY = /^(?!(?:client|subscriber|dedicated|listener)$)[\w.-]+$/;

/**
 * A named connection: its shared client, its subscriber and its dedicated connections, opened together and closed in order. Nothing
 * is opened before the application starts or the client is used.
 */
export class RedisConnection {
  /** Name as given to `RedisModule.forRoot`. */
  readonly name: string;
  /** Unique in the process; `diagnostics_channel` events carry it. */
  readonly id = randomUUID();
  readonly topology: 'standalone' | 'sentinel' | 'cluster';
  /** Whether the application starts without it. */
  readonly startup: 'required' | 'optional';
  readonly #options: ResolvedRedisOptions;
  readonly #logger = new Logger('RedisModule');
  readonly #credentials: CredentialsSource | undefined;
  readonly #dedicated: DedicatedConnections;
  readonly #masters: Masters;
  readonly #libraries = new LibraryClients((library) => this.#open({ library }));
  #client: MonitoredClient | undefined;
  #subscriber: MonitoredClient | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedRedisOptions) {
    this.#options = options;
    this.name = options.name;
    this.startup = options.startup;
    const { kind } = options.target;
    this.topology = kind === 'socket' ? 'standalone' : kind;
    this.#credentials = options.credentials && this.#createSource(options.credentials);
    this.#dedicated = new DedicatedConnections(options, this.#credentials, () =>
      this.whenReady(options.pool.acquireTimeout).then(() => this.client as Cluster),
    );
    this.#masters = new Masters(options, this.#credentials, () => this.client);
    for (const warning of options.warnings) this.#logger.warn(`Redis connection '${this.name}': ${warning}`);
  }

  /** The shared client. The commands of one turn of the event loop are sent together; never block it, `WATCH` or `SELECT` on it: see {@link withDedicated}. */
  get client(): RedisClient {
    return (this.#client ??= this.#open('client')).client;
  }

  /**
   * The shared client for `SUBSCRIBE`, `PSUBSCRIBE` and `SSUBSCRIBE`, a connection of its own that is made when first asked for.
   * After a loss it subscribes again by itself; messages sent meanwhile are lost.
   */
  subscriber(): RedisClient {
    return (this.#subscriber ??= this.#open('subscriber')).client;
  }

  /**
   * A client of its own for a library that needs one which waits for Redis for as long as it is away (`maxRetriesPerRequest: null`, no
   * `commandTimeout`), sends again what was not answered, and may be copied (`duplicate()`) to block on the copies. It is the same at each
   * call. It and its copies connect at once, and are closed with the connection. A copy that blocks has no time limit of its own: the library has to
   * give its commands one.
   *
   * @param library shown in `CLIENT LIST` after the connection's name: letters, digits, `_`, `-` and `.`
   * @throws TypeError for another name, or that of one of rednest's own clients; RedisClosedError at shutdown
   * @example
   * const queue = new Queue('mails', { connection: connection.clientFor('bullmq') });
   */
  clientFor(library: string): RedisClient {
    if (!LIBRARY.test(library))
      throw new TypeError(
        `clientFor: ${showValue(library)} is not the name of a library (letters, digits, '_', '-', '.')`,
      );
    void this.client;
    return this.#libraries.get(library);
  }

  /** State of the shared client. */
  get state(): ConnectionState {
    if (this.#closing && !this.#client) return 'closed';
    return this.#client?.monitor.state ?? 'idle';
  }

  /** Why the shared client is not ready, as far as it is known. */
  get error(): RedisError | undefined {
    return this.#client?.monitor.error;
  }

  /** Dedicated connections: in use, free, and takers that wait. */
  get poolStats(): PoolStats {
    return this.#dedicated.stats;
  }

  /** Resolves when the shared client is ready. @param timeout milliseconds @throws why it was not in time; RedisClosedError at shutdown */
  async whenReady(timeout: number): Promise<void> {
    const { client } = this;
    if (client.status === 'wait') client.connect().catch(() => undefined); // the monitor has the cause
    await this.#client!.monitor.whenReady(timeout);
  }

  /**
   * Runs `fn` with a connection that nobody else uses meanwhile: for `WATCH`, blocking commands, anything that keeps state. It does
   * not connect again by itself; when it is lost, its commands fail. It goes back to the pool when `fn` has settled.
   *
   * @throws RedisPoolTimeoutError when none is free in time, RedisPoolExhaustedError when too many wait, RedisUnavailableError when
   *   none can be opened, RedisClosedError at shutdown
   * @example
   * const item = await connection.withDedicated({ key: list }, (client) => client.blpop(list, 5));
   */
  withDedicated<T>(fn: (client: Redis) => Promise<T>): Promise<T>;
  withDedicated<T>(options: DedicatedOptions, fn: (client: Redis) => Promise<T>): Promise<T>;
  async withDedicated<T>(
    first: DedicatedOptions | ((client: Redis) => Promise<T>),
    second?: (client: Redis) => Promise<T>,
  ): Promise<T> {
    if (this.#closing) throw this.#closedError();
    return typeof first === 'function' ? this.#dedicated.use({}, first) : this.#dedicated.use(first, second!);
  }

  /**
   * An optimistic transaction (https://redis.io/docs/latest/develop/using-commands/transactions/): watches `keys`, runs `fn`, which
   * reads with `client` and queues writes on `multi`, and executes those if no watched key has changed. If one has, all is done again.
   *
   * @returns what `fn` returned in the run that was executed
   * @throws RedisConflictError after `attempts` conflicts; RedisConnectionLostError when the reply of `EXEC` was lost; whatever `fn`
   *   throws, and then nothing is written; the error of a command in `EXEC`, such as RedisWrongTypeError: Redis has executed the others
   *   all the same
   * @example
   * await connection.optimistic([stock], async (client, multi) => {
   *   if (Number(await client.get(stock)) < 1) throw new SoldOutError();
   *   multi.decr(stock);
   * });
   */
  async optimistic<T>(
    keys: readonly [string, ...string[]] | string[],
    fn: (client: Redis, multi: ChainableCommander) => T | Promise<T>,
    options?: OptimisticOptions,
  ): Promise<T> {
    return runOptimistic(this, keys, fn, options);
  }

  /** The shared client's connection to each master, for what concerns all keys (`SCAN`). @throws RedisUnavailableError when one is away */
  masters(): Redis[] {
    return this.#masters.clients();
  }

  /** The master of a slot (see {@link hashSlot}): `host:port` on a Cluster, '' elsewhere; `undefined` where none is known (yet). */
  masterOf(slot: number): string | undefined {
    return this.#masters.of(slot);
  }

  /**
   * Opens listeners: connections of their own, one to each master, for what a server pushes to who listens. They follow failovers and
   * the slots of a Cluster until the watch is stopped or the connection closed.
   *
   * @throws RedisClosedError at shutdown
   */
  watchMasters(handlers: MasterHandlers): MasterWatch {
    if (this.#closing) throw this.#closedError();
    return this.#masters.watch(handlers);
  }

  /** Asks the `credentials` callback now and authenticates the open connections anew. Does nothing without a callback. */
  async refreshCredentials(): Promise<void> {
    if (this.#credentials) await this.#authenticate(await this.#credentials.ask());
  }

  /**
   * Connects the client, if anyone has asked for it. With `startup: 'required'`, waits until it is ready.
   *
   * @throws the cause when it is not within `startupTimeout`; at once when repeating cannot help (wrong password, certificate)
   * @internal
   */
  async start(): Promise<void> {
    if (!this.#client) return;
    const { client, monitor } = this.#client;
    if (client.status === 'wait') client.connect().catch(() => undefined); // the monitor has the cause
    const { startup, startupTimeout } = this.#options;
    if (startup === 'optional') return;
    try {
      await monitor.whenReady(startupTimeout, (error) => this.#isHopeless(error));
    } catch (error) {
      const cause = error as RedisError;
      cause.message = `Redis connection '${this.name}' is not ready: ${cause.message}`;
      throw cause;
    }
  }

  /** Credentials that are asked for may be right the next time; a certificate that is not trusted stays so. */
  #isHopeless(error: RedisError): boolean {
    return !error.retryable && !(this.#credentials && error instanceof RedisAuthError);
  }

  /**
   * The application begins to shut down. Libraries that wait for Redis do so for `shutdownTimeout` at most.
   *
   * @internal
   */
  drain(): void {
    this.#libraries.drain(this.#options.shutdownTimeout);
  }

  /**
   * Closes everything in order: no more dedicated connections are given out, those in use come back, what is pending is answered,
   * `QUIT`. What is not done within `shutdownTimeout` is cut off, and its callers get an error.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const deadline = performance.now() + this.#options.shutdownTimeout;
    this.#credentials?.close();
    const clients = [this.#subscriber, this.#client].filter((each) => each !== undefined);
    const listeners = this.#masters.close(deadline);
    const libraries = this.#libraries.close(deadline);
    await this.#dedicated.closeWithin(deadline);
    for (const { monitor } of clients) monitor.closing();
    const closing = clients.map(({ client }) => closeClient(client, deadline));
    const late = [...(await Promise.all(closing)), ...(await libraries)];
    await listeners;
    if (late.includes('cut off'))
      this.#warn(`did not close within ${this.#options.shutdownTimeout} ms and was cut off`);
  }

  #open(purpose: Purpose): MonitoredClient {
    if (this.#closing) throw this.#closedError();
    const [options, credentials, logger] = [this.#options, this.#credentials, this.#logger];
    const opened = openClient({ id: this.id, options, credentials, logger }, purpose);
    // What was idle when the shared connection was lost may lead to a server that is no longer there, or no longer the master.
    if (purpose === 'client') opened.client.on('close', () => this.#dedicated.expire());
    return opened;
  }

  #closedError(): RedisClosedError {
    return new RedisClosedError(`Redis connection '${this.name}' is closed`);
  }

  #createSource(provider: NonNullable<ResolvedRedisOptions['credentials']>): CredentialsSource {
    return new CredentialsSource(provider, this.#options.connectTimeout, {
      renewal: (credentials) => this.#authenticate(credentials),
      failure: (error) => this.#warn(`could not renew its credentials: ${toConnectionError(error).message}`),
    });
  }

  async #authenticate(credentials: { username?: string; password: string }): Promise<void> {
    this.#dedicated.expire();
    const shared = [this.#client, this.#subscriber].filter((each) => each !== undefined);
    const clients = [...shared, ...this.#libraries.opened];
    await Promise.all(clients.map(({ client }) => authenticateAgain(client, credentials)));
  }

  #warn(text: string): void {
    this.#logger.warn(`Redis connection '${this.name}' ${text}`);
  }

  /** Shows neither options nor credentials. */
  [inspect.custom](): string {
    return `RedisConnection { name: '${this.name}', topology: '${this.topology}', state: '${this.state}' }`;
  }
}
