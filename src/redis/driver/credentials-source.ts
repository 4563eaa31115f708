import { RedisAuthError } from '../errors/errors.js';
import type { CredentialsProvider, RedisCredentials } from '../options/redis-options.js';

/** How much of their life credentials may have used before they are renewed. */
const RENEW_AT = 0.8;
/** However short-lived, or long expired, credentials are: the provider is not stormed. */
const SHORTEST_RENEWAL = 1_000;
const RENEW_RETRY_DELAY = 2_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a {@link CredentialsSource} tells of. */
export interface CredentialsEvents {
  /** Credentials were replaced before they expired: open connections need them. What it throws counts as a failure. */
  renewal: (credentials: RedisCredentials) => void | Promise<void>;
  /** They could not be replaced. It is tried again after two seconds. */
  failure: (error: unknown) => void;
}

/** Asks a {@link CredentialsProvider}, for all clients of a connection: at once for those that ask at the same time. */
export class CredentialsSource {
  readonly #provider: CredentialsProvider;
  readonly #timeout: number;
  readonly #on: CredentialsEvents;
  #current: RedisCredentials | undefined;
  #pending: Promise<RedisCredentials> | undefined;
  #abandon: ((reason: Error) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param timeout milliseconds that the provider may take */
  constructor(provider: CredentialsProvider, timeout: number, on: CredentialsEvents) {
    this.#provider = provider;
    this.#timeout = timeout;
    this.#on = on;
  }

  /** What the provider last gave. */
  get current(): RedisCredentials | undefined {
    return this.#current;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws RedisAuthError where the provider throws, takes too long, or gives no password */
  ask(): Promise<RedisCredentials> {
    this.#pending ??= this.#ask().finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  /** Renews no more, and gives up on an answer that has not come. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abandon?.(new Error('the connection is closing'));
  }

  async #ask(): Promise<RedisCredentials> {
    const credentials = await this.#askInTime();
    if (typeof credentials?.password !== 'string' || credentials.password === '') {
      throw new RedisAuthError('The credentials callback gave no password');
    }
    if (Number.isNaN(Number(credentials.expiresAt ?? 0))) {
      throw new RedisAuthError('The credentials callback gave an expiresAt that is no date');
    }
    this.#current = credentials;
    this.#renewBeforeExpiry(credentials);
    return credentials;
  }

  async #askInTime(): Promise<RedisCredentials> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      this.#abandon = reject;
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#timeout} ms`)), this.#timeout);
      // What is still asked at shutdown must not hold up the process.
      if (this.#closed) timer.unref();
    });
    try {
      return await Promise.race([(async () => this.#provider())(), late]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'it threw something that is not an error';
      throw new RedisAuthError(`The credentials callback failed: ${reason}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #renewBeforeExpiry({ expiresAt }: RedisCredentials): void {
    clearTimeout(this.#timer);
    if (expiresAt === undefined) return;
    this.#schedule(Math.max(SHORTEST_RENEWAL, (Number(expiresAt) - Date.now()) * RENEW_AT));
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#renew(), Math.min(delay, LONGEST_TIMER)).unref();
  }

  async #renew(): Promise<void> {
    try {
      const credentials = await this.ask();
      if (!this.#closed) await this.#on.renewal(credentials);
    } catch (error) {
      if (this.#closed) return;
      this.#on.failure(error);
      this.#schedule(RENEW_RETRY_DELAY);
    }
  }
}
