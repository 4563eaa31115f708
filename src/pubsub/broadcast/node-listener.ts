import type { Redis } from 'ioredis';
import { RedisClosedError, RedisClusterError, toRedisError, type RedisError } from '../../redis/index.js';
import type { Channel, SubscribeCommand } from './channels.js';
import { Liveness } from './liveness.js';

/** When a subscription that has failed is tried again, in milliseconds. */
const RETRY_DELAY = { afterFailure: 500, afterRefusal: 10_000 };

const UNSUBSCRIBE = {
  subscribe: 'unsubscribe',
  psubscribe: 'punsubscribe',
  ssubscribe: 'sunsubscribe',
} as const;

/** What a {@link NodeListener} asks, and tells of. None may throw. */
export interface NodeHandlers {
  /** What the node is to be subscribed to now. */
  wanted(): readonly Channel[];
  /** The server has confirmed these. */
  subscribed(channels: readonly Channel[]): void;
  /** These had been confirmed. @param since when the connection was last known to be good, in milliseconds since 1970 */
  lost(channels: readonly Channel[], since: number): void;
  /** The server does not allow it. It is tried again. */
  refused(channel: Channel, error: RedisError): void;
  /** A slot has gone elsewhere: the slots should be read anew. */
  moved(): void;
  message(command: SubscribeCommand, name: string, channel: string, raw: string): void;
}

/**
 * Keeps one connection subscribed to what is wanted. It looks at what is wanted as often as it is told to, one thing after the other: who wants
 * a channel and who no longer does cannot overtake each other.
 */
export class NodeListener {
  readonly #client: Redis;
  readonly #on: NodeHandlers;
  readonly #liveness: Liveness;
  readonly #confirmed = new Map<string, Channel>();
  readonly #undo: (() => void)[] = [];
  /** Counts connections: what was begun on one that is gone is of no account. */
  #connection = 0;
  #isReady = false;
  #isSyncing = false;
  #isStale = false;
  /** Whether what counts as confirmed may not be any more. */
  #isInDoubt = false;
  #isPaused = false;
  /** Whether the connection is not read now. */
  #isHeld = false;
  #retry: NodeJS.Timeout | undefined;

  /** @param liveness how it is noticed that the other end has vanished */
  constructor(client: Redis, liveness: 'ping' | 'keep-alive', handlers: NodeHandlers) {
    this.#client = client;
    this.#on = handlers;
    this.#liveness = new Liveness(client, liveness);
    this.#listen('ready', () => this.#onReady());
    this.#listen('close', () => this.#onClose());
    this.#listen('moved', () => this.#onMoved());
    this.#listen('message', (name, raw) => this.#on.message('subscribe', name!, name!, raw!));
    this.#listen('smessage', (name, raw) => this.#on.message('ssubscribe', name!, name!, raw!));
    this.#listen('pmessage', (pattern, channel, raw) =>
      this.#on.message('psubscribe', pattern!, channel!, raw!),
    );
  }

  /** Subscribes to what is wanted now and was not before, and unsubscribes from what no longer is. */
  sync(): void {
    this.#isStale = true;
    if (this.#isReady && !this.#isSyncing && !this.#isHeld) void this.#sync();
  }

  /** Reads no more messages until {@link resume}; a few that are read already may still come. */
  pause(): void {
    this.#isPaused = true;
    // A reply that nobody reads would make the connection look dead.
    if (this.#isReady && !this.#isSyncing) this.#hold();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#client.stream.resume();
    if (this.#isStale) this.sync();
  }

  /** Tells of nothing any more, but of what it loses by that. The connection is closed by who opened it. */
  stop(): void {
    this.#loseAll();
    this.#disconnected();
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** When the connection was last known to be good, in milliseconds since 1970. */
  get lastGood(): number {
    return this.#liveness.lastGood;
  }

  #hold(): void {
    this.#isHeld = true;
    this.#client.stream.pause();
  }

  #onReady(): void {
    this.#connection++;
    this.#isReady = true;
    this.#liveness.start();
    this.sync();
  }

  #onClose(): void {
    this.#loseAll();
    this.#disconnected();
  }

  /** The server has ended the subscriptions of a slot, or refuses them, without saying which in a way that the driver passes on. */
  #onMoved(): void {
    this.#isInDoubt = true;
    this.#on.moved();
    this.#tryAgain(RETRY_DELAY.afterFailure);
  }

  #loseAll(): void {
    this.#lose([...this.#confirmed.values()]);
  }

  #disconnected(): void {
    this.#connection++;
    this.#isReady = false;
    this.#isSyncing = this.#isHeld = this.#isInDoubt = false;
    this.#confirmed.clear();
    this.#liveness.stop();
    clearTimeout(this.#retry);
  }

  async #sync(): Promise<void> {
    const connection = this.#connection;
    this.#isSyncing = true;
    while (this.#isStale && connection === this.#connection) {
      this.#isStale = false;
      await this.#syncOnce(connection);
    }
    if (connection !== this.#connection) return;
    this.#isSyncing = false;
    if (this.#isPaused) this.#hold();
  }

  async #syncOnce(connection: number): Promise<void> {
    const wanted = new Map(this.#on.wanted().map((channel) => [keyOf(channel), channel]));
    const missing = [...wanted.values()].filter((channel) => this.#isInDoubt || !this.#isConfirmed(channel));
    const surplus = [...this.#confirmed.values()].filter((channel) => !wanted.has(keyOf(channel)));
    this.#isInDoubt = false;
    // Before it is true: who wants one of them from now on has to wait until it is subscribed to again.
    this.#lose(surplus);
    // One by one, in one flight: a channel that is refused must not take the others with it.
    const errors = await Promise.all(missing.map((channel) => this.#subscribe(channel)));
    await Promise.all(surplus.map((channel) => this.#unsubscribe(channel)));
    if (connection !== this.#connection) return;
    this.#lose(missing.filter((_, index) => errors[index] !== undefined));
    this.#confirm(missing.filter((_, index) => errors[index] === undefined));
    const delays = missing.map((channel, index) => this.#onFailure(channel, errors[index]));
    const delay = Math.min(...delays);
    if (delay !== Infinity) this.#tryAgain(delay);
  }

  #isConfirmed(channel: Channel): boolean {
    return this.#confirmed.has(keyOf(channel));
  }

  #confirm(channels: readonly Channel[]): void {
    const subscribed = channels.filter((channel) => !this.#isConfirmed(channel));
    for (const channel of subscribed) this.#confirmed.set(keyOf(channel), channel);
    if (subscribed.length > 0) this.#on.subscribed(subscribed);
  }

  #lose(channels: readonly Channel[]): void {
    const lost = channels.filter((channel) => this.#confirmed.delete(keyOf(channel)));
    if (lost.length > 0) this.#on.lost(lost, this.#liveness.lastGood);
  }

  async #subscribe({ command, name }: Channel): Promise<unknown> {
    try {
      await this.#client[command](name);
      return undefined;
    } catch (error) {
      return error ?? new Error('refused');
    }
  }

  /** What could not be unsubscribed from is dropped when it comes. */
  async #unsubscribe({ command, name }: Channel): Promise<void> {
    await this.#client[UNSUBSCRIBE[command]](name).catch(() => undefined);
  }

  /** @returns when to try again, in milliseconds */
  #onFailure(channel: Channel, error: unknown): number {
    if (error === undefined) return Infinity;
    const known = toRedisError(error);
    if (known instanceof RedisClusterError) this.#on.moved();
    const isRefusal = known && !known.retryable && !(known instanceof RedisClosedError);
    if (!isRefusal) return RETRY_DELAY.afterFailure;
    this.#on.refused(channel, known);
    return RETRY_DELAY.afterRefusal;
  }

  #tryAgain(delay: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.sync(), delay).unref();
  }

  #listen(event: string, handler: (...args: (string | undefined)[]) => void): void {
    this.#client.on(event as 'message', handler);
    this.#undo.push(() => this.#client.off(event, handler));
  }
}

/** Tells channels apart. */
export function keyOf({ command, name }: Channel): string {
  return `${command} ${name}`;
}
