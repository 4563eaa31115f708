import { Logger } from '@nestjs/common';
import type { ClientRole } from '../driver/create-client.js';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { toConnectionError } from '../errors/classify.js';
import { RedisClosedError, RedisUnavailableError } from '../errors/errors.js';
import type { RedisError } from '../errors/redis-error.js';
import { publishConnectionEvent, type ConnectionState } from './connection-events.js';

/** Whom a monitor watches. */
export interface MonitoredConnection {
  readonly id: string;
  readonly name: string;
  readonly role: ClientRole;
}

/**
 * Follows a client's events and makes states of them: told once in the log for each change, and again while it is away only if the
 * reason becomes another. The subscriber's changes are at debug level, since they come with those of the client.
 */
export class ConnectionMonitor {
  readonly #connection: MonitoredConnection;
  readonly #logger: Logger;
  #state: ConnectionState = 'idle';
  #error: RedisError | undefined;
  #reported: string | undefined;
  #lostAt = 0;
  #wasReady = false;
  readonly #listeners = new Set<(state: ConnectionState) => void>();

  constructor(client: RedisClient, connection: MonitoredConnection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    client.on('connecting', () => this.#onConnecting());
    client.on('ready', () => this.#onReady());
    client.on('error', (error: unknown) => this.noteError(error));
    if (isCluster(client)) client.on('node error', (error: unknown) => this.noteError(error));
    client.on('close', () => this.#onLost());
    client.on('end', () => this.#onEnd());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why the connection is not ready, as far as it is known. */
  get error(): RedisError | undefined {
    return this.#error;
  }

  /** An error that came with connecting; the cause to tell when the connection is lost. */
  noteError(error: unknown): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const noted = toConnectionError(error);
    // The driver says this after the error that tells why, and sometimes alone.
    if (this.#error && noted.message === 'Connection is closed.') return;
    this.#error = noted;
  }

  closing(): void {
    if (this.#state !== 'closed') this.#change('closing');
  }

  /**
   * Waits until the connection is ready.
   *
   * @param timeout milliseconds
   * @param giveUp told of the error after each failed attempt; true ends the waiting
   * @throws the reason for which the connection was not ready in time, or RedisClosedError
   */
  whenReady(timeout: number, giveUp: (error: RedisError) => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        outcome();
      };
      const check = (state: ConnectionState) => {
        if (state === 'ready') settle(resolve);
        else if (state === 'closing' || state === 'closed') settle(() => reject(this.#closed()));
        else if (state === 'reconnecting' && this.#error && giveUp(this.#error))
          settle(() => reject(this.#error!));
      };
      const timer = setTimeout(
        () => settle(() => reject(this.#error ?? new RedisUnavailableError('no answer'))),
        timeout,
      );
      this.#listeners.add(check);
      check(this.#state);
    });
  }

  #closed(): RedisClosedError {
    return new RedisClosedError(`Redis connection '${this.#connection.name}' is closed`);
  }

  #onConnecting(): void {
    if (this.#state === 'idle') this.#change('connecting');
  }

  #onReady(): void {
    if (this.#state === 'closing') return;
    const wasAway = this.#reported !== undefined;
    this.#error = undefined;
    this.#reported = undefined;
    this.#wasReady = true;
    this.#change('ready');
    if (wasAway) this.#log('log', `is back after ${Math.round(performance.now() - this.#lostAt)} ms`);
    else this.#logger.debug(`Redis connection ${this.#label} is ready`);
  }

  #onLost(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const error = this.#error ?? toConnectionError(new Error('closed by the server'));
    this.#error = error;
    const change = this.#state !== 'reconnecting';
    if (change) this.#lostAt = performance.now();
    if (this.#reported !== error.code) {
      this.#reported = error.code;
      const what = change && this.#wasReady ? 'is lost' : 'cannot be made';
      this.#log('warn', `${what}, trying again: ${error.message}`);
    }
    this.#change('reconnecting');
  }

  #onEnd(): void {
    this.#change('closed');
  }

  get #label(): string {
    const { name, role } = this.#connection;
    return role === 'client' ? `'${name}'` : `'${name}' (${role})`;
  }

  #log(level: 'log' | 'warn', text: string): void {
    const message = `Redis connection ${this.#label} ${text}`;
    if (this.#connection.role === 'client') this.#logger[level](message);
    else this.#logger.debug(message);
  }

  #change(state: ConnectionState): void {
    const previous = this.#state;
    this.#state = state;
    if (previous !== state) {
      const { id, name, role } = this.#connection;
      publishConnectionEvent({
        connectionId: id,
        connection: name,
        role,
        state,
        previous,
        ...(this.#error && { error: this.#error }),
      });
    }
    for (const listener of this.#listeners) listener(state);
  }
}
