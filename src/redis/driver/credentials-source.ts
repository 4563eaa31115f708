import { RedisAuthError } from '../errors/errors.js';
import type { CredentialsProvider, RedisCredentials } from '../options/redis-options.js';

/** How much of their life credentials may have used before they are renewed. */
const RENEW_AT = 0.8;
const RENEW_RETRY_DELAY = 5_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Asks a {@link CredentialsProvider}, for all clients of a connection: at once for those that ask at the same time. */
export class CredentialsSource {
  readonly #provider: CredentialsProvider;
  readonly #timeout: number;
  readonly #onRenewal: (credentials: RedisCredentials) => void;
  readonly #onFailure: (error: RedisAuthError) => void;
  #current: RedisCredentials | undefined;
  #pending: Promise<RedisCredentials> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param timeout milliseconds that the provider may take
   * @param on `renewal`: credentials were replaced before they expired, and open connections need them; `failure`: they could not be
   */
  constructor(
    provider: CredentialsProvider,
    timeout: number,
    on: { renewal: (credentials: RedisCredentials) => void; failure: (error: RedisAuthError) => void },
  ) {
    this.#provider = provider;
    this.#timeout = timeout;
    this.#onRenewal = on.renewal;
    this.#onFailure = on.failure;
  }

  /** What the provider last gave. */
  get current(): RedisCredentials | undefined {
    return this.#current;
  }

  /** @throws RedisAuthError where the provider throws, takes too long, or gives no password */
  ask(): Promise<RedisCredentials> {
    this.#pending ??= this.#ask().finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<RedisCredentials> {
    const credentials = await this.#askInTime();
    if (typeof credentials?.password !== 'string' || credentials.password === '') {
      throw new RedisAuthError('The credentials callback gave no password');
    }
    this.#current = credentials;
    this.#renewBeforeExpiry(credentials);
    return credentials;
  }

  async #askInTime(): Promise<RedisCredentials> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#timeout} ms`)), this.#timeout);
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
    if (expiresAt === undefined) return;
    this.#schedule(Math.max(0, Number(expiresAt) - Date.now()) * RENEW_AT);
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#renew(), Math.min(delay, LONGEST_TIMER)).unref();
  }

  async #renew(): Promise<void> {
    try {
      this.#onRenewal(await this.ask());
    } catch (error) {
      this.#onFailure(error as RedisAuthError);
      this.#schedule(RENEW_RETRY_DELAY);
    }
  }
}
