import { Logger } from '@nestjs/common';
import { Store, type SessionData } from 'express-session';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import {
  RedisWrongTypeError,
  toRedisError,
  type RedisClient,
  type RedisConnection,
} from '../../redis/index.js';
import { orRedisError, showValue } from '../../redis/shared.js';
import { checkConnection } from '../adapter-options.js';
import { callBack, type Callback } from './call-back.js';
import {
  resolveSessionStoreOptions,
  type ResolvedSessionStoreOptions,
} from './resolve-session-store-options.js';
import { SessionCodec, UnreadableSessionError } from './session-codec.js';
import { prolongTouched, untilExpiry } from './session-expiry.js';
import { SessionKeys } from './session-keys.js';
import type { AnySession, RedisSessionStoreOptions } from './session-store-options.js';
import { SessionUnavailableError } from './session-unavailable-error.js';
import { eachSession } from './session-walk.js';

/** A session among others. */
export type StoredSession = SessionData & { id: string };

type Action = 'get' | 'set' | 'touch' | 'destroy' | 'all' | 'length' | 'ids' | 'clear';

const WRITES: ReadonlySet<Action> = new Set(['set', 'destroy', 'clear']);

const logger = new Logger('RedisSessionStore');

/**
 * Keeps the sessions of express-session, or @fastify/session, in Redis, for all replicas of an application. A session lives as long as its cookie,
 * to the millisecond, and is prolonged whenever it is used. Those that connect-redis has stored are found.
 *
 * Callbacks get a {@link SessionUnavailableError} where Redis is away: Nest answers such a request with 503. Sessions are there again as soon
 * as Redis is. What is stored and cannot be read is no session, with a warning.
 *
 * @example
 * export class AppModule implements NestModule {
 *   constructor(@InjectRedisConnection('sessions') private readonly connection: RedisConnection) {}
 *
 *   configure(consumer: MiddlewareConsumer) {
 *     const store = new RedisSessionStore(this.connection, { ttl: '1d' });
 *     const cookie = { maxAge: 3_600_000 };
 *     consumer
 *       .apply(session({ store, secret, resave: false, saveUninitialized: false, rolling: true, cookie }))
 *       .forRoutes('{*path}');
 *   }
 * }
 */
export class RedisSessionStore extends Store {
  readonly #connection: RedisConnection;
  readonly #options: ResolvedSessionStoreOptions;
  readonly #keys: SessionKeys;
  readonly #codec: SessionCodec;
  /** By which id a session in use was loaded. */
  readonly #loaded = new WeakMap<object, string>();
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));
  readonly #errors = new LimitedWarnings((message) => logger.error(message));

  /** @throws AdapterConfigurationError with every problem that was found */
  constructor(connection: RedisConnection, options: RedisSessionStoreOptions = {}) {
    super();
    checkConnection(RedisSessionStore.name, connection);
    this.#connection = connection;
    this.#options = resolveSessionStoreOptions(options);
    this.#keys = new SessionKeys(this.#options.namespace);
    this.#codec = new SessionCodec(this.#options);
    // What nobody has asked for is not opened at the start: a connection that is required would not be waited for.
    void this.#client;
  }

  /** The session, or null where there is none. */
  // What sessions of other libraries are is the application's word.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  override get<Session extends AnySession = SessionData>(
    id: string,
    callback: Callback<Session | null>,
  ): void {
    this.#answer('get', () => this.#read(id), callback as unknown as Callback<SessionData | null>);
  }

  /**
   * Makes a session of what is stored: express-session calls it for each that it loads. Saved under its own id, it is written only where it is
   * there still.
   */
  override createSession(...loaded: Parameters<Store['createSession']>): ReturnType<Store['createSession']> {
    const session = super.createSession(...loaded);
    this.#loaded.set(session, session.id);
    return session;
  }

  /**
   * Stores a session for as long as its cookie lives, or for `ttl`; destroys it where its cookie has expired. One that was loaded, and is no longer
   * there, is not stored again: that is no error.
   */
  override set(id: string, session: AnySession, callback?: Callback): void {
    this.#answer('set', () => this.#write(id, session as SessionData), callback);
  }

  /** Prolongs a session, if it is there still, to when its cookie expires, or to `ttl` from now. Writes nothing where `touch` is false. */
  override touch(id: string, session: AnySession, callback?: Callback): void {
    this.#answer('touch', () => this.#prolong(id, session as SessionData), callback);
  }

  /**
   * What was destroyed stays so: a request of express-session that is under way, and saves the session when it ends, changes nothing then. With
   * @fastify/session it brings the session back, since there a store cannot tell what was loaded from what is new; with `rolling: true`, its
   * default, also where the request only reads.
   */
  override destroy(id: string, callback?: Callback): void {
    this.#answer('destroy', () => this.#remove(id), callback);
  }

  /** All sessions, with their ids. All are in memory then. */
  override all(callback: Callback<StoredSession[]>): void {
    this.#answer('all', () => this.#readAll(), callback);
  }

  /** How many sessions there are: all keys of the namespace are walked through. */
  override length(callback: Callback<number>): void {
    this.#answer('length', async () => (await this.#ids()).length, callback);
  }

  /** The ids of all sessions. */
  ids(callback: Callback<string[]>): void {
    this.#answer('ids', () => this.#ids(), callback);
  }

  /** Destroys all sessions. Those that are made meanwhile may stay. */
  override clear(callback?: Callback): void {
    this.#answer('clear', () => this.#removeAll(), callback);
  }

  get #client(): RedisClient {
    return this.#connection.client;
  }

  async #read(id: string): Promise<SessionData | null> {
    const key = this.#keys.keyOf(id);
    try {
      const stored = await orRedisError(this.#client.getBuffer(key));
      return stored && prolongTouched(await this.#codec.read(key, stored));
    } catch (error) {
      return this.#noSession(error);
    }
  }

  /** Sent at once: what is called after it is sent after it. */
  async #write(id: string, session: SessionData): Promise<void> {
    const ttl = this.#ttlOf(session);
    if (ttl <= 0) return this.#remove(id);
    const key = this.#keys.keyOf(id);
    const value = this.#codec.write(key, session);
    if (this.#loaded.get(session) !== id) await orRedisError(this.#client.set(key, value, 'PX', ttl));
    else if ((await orRedisError(this.#client.set(key, value, 'PX', ttl, 'XX'))) === null)
      logger.debug('A session that was loaded is no longer there: it is not saved again');
  }

  async #prolong(id: string, session: SessionData): Promise<void> {
    if (!this.#options.touch) return;
    const ttl = this.#ttlOf(session);
    if (ttl <= 0) return this.#remove(id);
    await orRedisError(this.#client.pexpire(this.#keys.keyOf(id), ttl));
  }

  async #remove(id: string): Promise<void> {
    await orRedisError(this.#client.unlink(this.#keys.keyOf(id)));
  }

  async #readAll(): Promise<StoredSession[]> {
    const sessions: StoredSession[] = [];
    await eachSession(this.#connection, this.#keys, async (ids) => {
      const read = await Promise.all(ids.map((id) => this.#read(id)));
      for (const [position, session] of read.entries())
        if (session) sessions.push(Object.assign(session, { id: ids[position]! }));
    });
    return sessions;
  }

  async #ids(): Promise<string[]> {
    const all: string[] = [];
    await eachSession(this.#connection, this.#keys, async (ids) => all.push(...ids));
    return all;
  }

  #removeAll(): Promise<void> {
    return eachSession(this.#connection, this.#keys, (ids) => Promise.all(ids.map((id) => this.#remove(id))));
  }

  #ttlOf(session: SessionData): number {
    return untilExpiry(session) ?? this.#options.ttl(session);
  }

  /** @throws what has nothing to do with the value */
  #noSession(error: unknown): null {
    const isUnreadable = error instanceof UnreadableSessionError;
    if (!isUnreadable && !(error instanceof RedisWrongTypeError)) throw error;
    const reason = isUnreadable ? error.message : 'it is no string';
    const { namespace } = this.#options;
    this.#warnings.warn(reason, `A value under '${namespace}:' is treated as no session: ${reason}`);
    return null;
  }

  #answer<T>(action: Action, work: () => Promise<T>, callback: Callback<T> | undefined): void {
    const tell = (...outcome: Parameters<Callback<T>>): void => {
      if (callback) callBack(callback, outcome, (error) => this.#reportCallback(action, error));
    };
    work().then(
      (value) => tell(null, value),
      (error: unknown) => {
        if (!callback || isToBeLogged(action, error)) this.#report(action, error);
        tell(asUnavailable(error));
      },
    );
  }

  #report(action: Action, error: unknown): void {
    const shown = error instanceof Error ? error.message : showValue(error);
    this.#warnings.warn(action, `${action} has failed: ${shown}`);
  }

  #reportCallback(action: Action, error: unknown): void {
    const shown = error instanceof Error ? (error.stack ?? error.message) : showValue(error);
    this.#errors.warn(action, `The callback of ${action} has failed: ${shown}`);
  }
}

/**
 * The connection says that Redis is away, and a request that asks for its session is refused. What cannot be written is lost, though: express-session
 * has answered by then.
 */
function isToBeLogged(action: Action, error: unknown): boolean {
  const redisError = toRedisError(error);
  return redisError !== undefined && (WRITES.has(action) || !redisError.retryable);
}

function asUnavailable(error: unknown): unknown {
  const redisError = toRedisError(error);
  return redisError ? new SessionUnavailableError(redisError) : error;
}
