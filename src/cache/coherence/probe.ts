import { Logger } from '@nestjs/common';
import {
  RedisClosedError,
  RedisPermissionError,
  type RedisConnection,
  type RedisError,
} from '../../redis/index.js';
import { CacheConfigurationError } from '../options/cache-configuration-error.js';
import type { Coherence, CoherenceEvents, CoherenceMode } from './coherence.js';
import type { ListeningCoherence, ListeningOptions } from './listening-coherence.js';
import { NoCoherence } from './no-coherence.js';
import { changesChannel, PubSubCoherence } from './pubsub-coherence.js';
import type { Shard } from './shard.js';
import { TrackingCoherence } from './tracking-coherence.js';

/** What is tried, the best first, where no mode is asked for. */
const FALLBACKS = ['tracking', 'pubsub', 'none'] as const;

const LISTENING = {
  tracking: {
    make: (options: ListeningOptions) => new TrackingCoherence(options),
    rules: () => '+client|id +client|tracking +subscribe &__redis__:invalidate',
    needs: 'a server that knows CLIENT TRACKING with REDIRECT, such as Redis 6 or newer',
    instead: `'pubsub' or 'none'`,
  },
  pubsub: {
    make: (options: ListeningOptions) => new PubSubCoherence(options),
    rules: (namespace: string) => `+subscribe +publish &${changesChannel(namespace)}`,
    needs: 'a server that knows SUBSCRIBE and PUBLISH',
    instead: `'none'`,
  },
};

type ListeningMode = keyof typeof LISTENING;

export interface CoherenceOptions {
  readonly namespace: string;
}

/**
 * The coherence of a mode; where none is asked for, the best that the server and the ACL allow, which is known when they have answered:
 * `mode` may change until then.
 *
 * @param mode undefined: tracking, else pubsub, with a warning that says why
 * @param connection undefined where there is no Redis
 */
export function createCoherence(
  mode: CoherenceMode | undefined,
  connection: RedisConnection | undefined,
  { namespace }: CoherenceOptions,
  events: CoherenceEvents,
): Coherence {
  if (mode === 'none' || !connection) return new NoCoherence();
  return new ProbedCoherence(mode ? [mode] : FALLBACKS, { connection, namespace, events });
}

type Parts = Omit<ListeningOptions, 'onRefusal'>;

/** The first of several modes that is not refused. */
class ProbedCoherence implements Coherence {
  readonly #logger = new Logger('CacheModule');
  readonly #parts: Parts;
  readonly #modes: CoherenceMode[];
  #current: Coherence;
  #switching: Promise<void> | undefined;
  #isStarting = false;
  #isStopped = false;
  #refusal: Error | undefined;
  #told: string | undefined;

  constructor(modes: readonly CoherenceMode[], parts: Parts) {
    this.#parts = parts;
    this.#modes = [...modes];
    this.#current = this.#next();
  }

  get mode(): CoherenceMode {
    return this.#current.mode;
  }

  get armed(): boolean {
    return this.#current.armed;
  }

  shardOf(slot: number): Shard {
    return this.#current.shardOf(slot);
  }

  announce(keys: readonly string[]): void {
    this.#current.announce(keys);
  }

  /** @throws CacheConfigurationError when the only mode is refused */
  async start(): Promise<void> {
    this.#isStarting = true;
    await this.#current.start();
    while (this.#switching) {
      const switching = this.#switching;
      this.#switching = undefined;
      await switching;
    }
    this.#isStarting = false;
    if (!this.#refusal) return;
    await this.stop();
    throw this.#refusal;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#switching;
    await this.#current.stop();
  }

  #next(): Coherence {
    const mode = this.#modes.shift();
    if (mode === undefined || mode === 'none') return new NoCoherence();
    const onRefusal = (refusal: RedisError) => this.#onRefusal(refusal, coherence);
    const coherence: ListeningCoherence = LISTENING[mode].make({ ...this.#parts, onRefusal });
    return coherence;
  }

  #onRefusal(refusal: RedisError, coherence: ListeningCoherence): void {
    if (coherence !== this.#current || this.#isStopped) return;
    const { mode } = coherence;
    const reason = this.#explain(mode, refusal);
    const [next] = this.#modes;
    if (next && !coherence.wasArmed) {
      this.#logger.warn(`Coherence '${mode}' ${reason}; going on with '${next}'`);
      this.#current = this.#next();
      this.#switching = this.#switch(coherence, this.#current);
      return;
    }
    const remedy = `${reason}, or set coherence to ${LISTENING[mode].instead}`;
    if (this.#isStarting) {
      const problem = { option: 'coherence', message: `'${mode}' ${remedy}` };
      this.#refusal = new CacheConfigurationError('The cache', [problem]);
    } else if (this.#told !== refusal.message) {
      this.#told = refusal.message;
      this.#logger.error(`Coherence '${mode}' ${remedy}. It is tried again`);
    }
  }

  async #switch(from: Coherence, to: Coherence): Promise<void> {
    try {
      await from.stop();
      if (!this.#isStopped) await to.start();
    } catch (error) {
      // There is nobody to tell of a connection that is closed meanwhile.
      if (!(error instanceof RedisClosedError)) this.#logger.error(error);
    }
  }

  #explain(mode: ListeningMode, refusal: RedisError): string {
    const { connection, namespace } = this.#parts;
    const { rules, needs } = LISTENING[mode];
    const remedy =
      refusal instanceof RedisPermissionError ? `allow its user ${rules(namespace)}` : `it takes ${needs}`;
    return `cannot be had from Redis connection '${connection.name}' (${refusal.message}): ${remedy}`;
  }
}
