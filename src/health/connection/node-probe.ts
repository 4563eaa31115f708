import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RedisPermissionError, toRedisError, type RedisErrorCode } from '../../redis/index.js';
import { Info } from '../../redis/shared.js';
import { settlesBefore } from '../../timing/settles-before.js';
import { readNodeFacts, type NodeFacts } from './node-facts.js';

/** A part of a reading that was left out, since the server did not give it. */
export type Omitted = 'ping' | 'info' | 'cluster';

export interface ClusterFacts {
  readonly state: 'ok' | 'fail';
  /** Slots that nobody serves: unassigned, or of a master that has failed. */
  readonly slotsFailing: number;
}

/** What a node has answered. */
export interface NodeReading {
  /** Why it does not serve. */
  readonly code?: RedisErrorCode;
  /** Milliseconds until it answered `PING`. */
  readonly latency?: number;
  readonly facts?: NodeFacts;
  readonly cluster?: ClusterFacts;
  /** Since the reading before; undefined for the first. */
  readonly since?: { readonly evicted?: number; readonly rejected?: number };
  readonly omitted: readonly Omitted[];
}

/** A question that was sent. */
interface Asking {
  /** `performance.now()` */
  readonly since: number;
  readonly reading: Promise<NodeReading>;
  isAnswered: boolean;
}

const SLOTS = 16_384;

const TIMED_OUT: NodeReading = { code: 'REDIS_TIMEOUT', omitted: [] };

/**
 * Asks a node how it is, by `PING` and `INFO` that are sent together. However many want to know, one question is under way; the answer is
 * kept for a while. A node that is silent is not asked again before it has answered, or its connection is lost.
 */
export class NodeProbe {
  readonly #client: Redis;
  readonly #kind: 'node' | 'cluster node';
  readonly #keepFor: number;
  #asking: Asking | undefined;
  #kept: { readonly reading: NodeReading; readonly until: number } | undefined;
  #last: NodeFacts | undefined;

  /** @param keepFor milliseconds for which an answer is given again */
  constructor(client: Redis, kind: 'node' | 'cluster node', keepFor: number) {
    this.#client = client;
    this.#kind = kind;
    this.#keepFor = keepFor;
    // What was read belongs to the connection that it was read from.
    for (const event of ['ready', 'close'] as const) client.on(event, () => (this.#kept = undefined));
  }

  /** Never rejects. @param timeout milliseconds from the moment at which the node was asked, be it by somebody else */
  async read(timeout: number): Promise<NodeReading> {
    if (this.#kept && performance.now() < this.#kept.until) return this.#kept.reading;
    const asking = (this.#asking ??= this.#ask());
    if (await settlesBefore(asking.reading, asking.since + timeout, 'free')) return asking.reading;
    // After a long turn of the event loop the answer may be there, unread.
    await nextTurn();
    return asking.isAnswered ? asking.reading : TIMED_OUT;
  }

  #ask(): Asking {
    const since = performance.now();
    const asking: Asking = { since, reading: this.#take(since), isAnswered: false };
    void asking.reading.then((reading) => {
      asking.isAnswered = true;
      this.#asking = undefined;
      this.#kept = { reading, until: performance.now() + this.#keepFor };
    });
    return asking;
  }

  async #take(since: number): Promise<NodeReading> {
    try {
      const client = this.#client;
      const [ping, info, cluster] = await Promise.allSettled([
        pingOf(client),
        client.info().then(readNodeFacts),
        this.#kind === 'cluster node' ? client.cluster('INFO').then(readClusterFacts) : undefined,
      ]);
      const facts = valueOf(info);
      const clusterFacts = valueOf(cluster);
      const pong = valueOf(ping);
      const code = ping.status === 'rejected' ? codeOf(ping.reason) : loadingCode(facts);
      return {
        ...(code && { code }),
        ...(pong && { latency: pong.answeredAt - since }),
        ...(facts && { facts, since: this.#changesOf(facts) }),
        ...(clusterFacts && { cluster: clusterFacts }),
        omitted: [
          ...(pong?.isRefused ? (['ping'] as const) : []),
          ...(info.status === 'rejected' ? (['info'] as const) : []),
          ...(cluster.status === 'rejected' ? (['cluster'] as const) : []),
        ],
      };
    } catch (error) {
      return { code: codeOf(error), omitted: [] };
    }
  }

  #changesOf(facts: NodeFacts): NonNullable<NodeReading['since']> {
    const last = this.#last;
    this.#last = facts;
    const evicted = increase(last?.evicted, facts.evicted);
    const rejected = increase(last?.rejected, facts.rejected);
    return { ...(evicted !== undefined && { evicted }), ...(rejected !== undefined && { rejected }) };
  }
}

/** Counts begin anew with the server. */
function increase(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined) return undefined;
  return now < before ? now : now - before;
}

function readClusterFacts(reply: string): ClusterFacts {
  const info = new Info(reply);
  const served = info.number('cluster_slots_ok');
  return {
    state: info.text('cluster_state') === 'ok' ? 'ok' : 'fail',
    slotsFailing: served === undefined ? 0 : SLOTS - served,
  };
}

/** A refusal is an answer, too. */
async function pingOf(client: Redis): Promise<{ answeredAt: number; isRefused: boolean }> {
  const isRefused = await client.ping().then(
    () => false,
    (error: unknown) => isRefusal(error) || Promise.reject(error),
  );
  return { answeredAt: performance.now(), isRefused };
}

/** A server that loads refuses before it says so. */
function loadingCode(facts: NodeFacts | undefined): RedisErrorCode | undefined {
  return facts?.isLoading ? 'REDIS_UNAVAILABLE' : undefined;
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T | undefined {
  return outcome.status === 'fulfilled' ? outcome.value : undefined;
}

function isRefusal(error: unknown): boolean {
  return toRedisError(error) instanceof RedisPermissionError;
}

function codeOf(error: unknown): RedisErrorCode {
  return toRedisError(error)?.code ?? 'REDIS_UNAVAILABLE';
}
