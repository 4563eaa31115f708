import type { Redis } from 'ioredis';
import { onConnectionChange } from '../../inquiry/connection-change.js';
import { toRedisError, type RedisErrorCode } from '../../redis/index.js';
import { askUntimed, Info, isRefusal, isWriteRefusal, SLOT_COUNT } from '../../redis/shared.js';
import { SharedQuestion } from '../../timing/shared-question.js';
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
  /** It takes no writes, since it could not save. */
  readonly cannotSave?: true;
  readonly facts?: NodeFacts;
  readonly cluster?: ClusterFacts;
  /** Since the reading before; empty for the first of a connection. */
  readonly since?: { readonly evicted?: number; readonly rejected?: number };
  readonly omitted: readonly Omitted[];
}

const TIMED_OUT: NodeReading = { code: 'REDIS_TIMEOUT', omitted: [] };

/**
 * Asks a node how it is, by `PING` and `INFO` that are sent together. However many want to know, one question is under way; the answer is
 * kept for a while. A node that is silent is not asked again before it has answered, or its connection is lost.
 */
export class NodeProbe {
  readonly #client: Redis;
  readonly #kind: 'node' | 'cluster node';
  readonly #question: SharedQuestion<NodeReading>;
  #last: NodeFacts | undefined;

  /** @param keepFor milliseconds for which an answer is given again */
  constructor(client: Redis, kind: 'node' | 'cluster node', keepFor: number) {
    this.#client = client;
    this.#kind = kind;
    this.#question = new SharedQuestion({ ask: () => this.#take(), keepFor });
    // The next connection may be to another server, whose counts have nothing to do with these.
    onConnectionChange(client, () => {
      this.#question.forget();
      this.#last = undefined;
    });
  }

  /** Never rejects. @param timeout milliseconds from the moment at which the node was asked, be it by somebody else */
  async read(timeout: number): Promise<NodeReading> {
    return (await this.#question.answer(timeout)) ?? TIMED_OUT;
  }

  async #take(): Promise<NodeReading> {
    try {
      const since = performance.now();
      const client = this.#client;
      const [ping, info, cluster] = await Promise.allSettled([
        pingOf(client),
        askUntimed(client, 'info').then(readNodeFacts),
        this.#kind === 'cluster node'
          ? askUntimed(client, 'cluster', 'INFO').then(readClusterFacts)
          : undefined,
      ]);
      const facts = valueOf(info);
      const clusterFacts = valueOf(cluster);
      const pong = valueOf(ping);
      const code = ping.status === 'rejected' ? codeOf(ping.reason) : loadingCode(facts);
      return {
        ...(code && { code }),
        ...(pong && { latency: pong.answeredAt - since }),
        ...(pong?.answer === 'cannot save' && { cannotSave: true }),
        ...(facts && { facts, since: this.#changesOf(facts) }),
        ...(clusterFacts && { cluster: clusterFacts }),
        omitted: [
          ...(pong?.answer === 'refusal' ? (['ping'] as const) : []),
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

/** Counts begin anew with `CONFIG RESETSTAT`. */
function increase(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined) return undefined;
  return now < before ? now : now - before;
}

function readClusterFacts(reply: string): ClusterFacts {
  const info = new Info(reply);
  const served = info.number('cluster_slots_ok');
  return {
    state: info.text('cluster_state') === 'ok' ? 'ok' : 'fail',
    slotsFailing: served === undefined ? 0 : SLOT_COUNT - served,
  };
}

/** `'cannot save'`: it takes no writes, and refuses `PING` to say so (`MISCONF`; `stop-writes-on-bgsave-error` of redis.conf). */
interface Pong {
  readonly answer: 'pong' | 'refusal' | 'cannot save';
  /** `performance.now()` */
  readonly answeredAt: number;
}

async function pingOf(client: Redis): Promise<Pong> {
  const answer = await askUntimed(client, 'ping').then(
    () => 'pong' as const,
    (error: unknown) => answerIn(error) ?? Promise.reject(error),
  );
  return { answer, answeredAt: performance.now() };
}

/** An error that a server replies shows that it answers. Undefined where it is none, or says that nothing is served. */
function answerIn(error: unknown): Pong['answer'] | undefined {
  if (isWriteRefusal(error)) return 'cannot save';
  return isRefusal(error) ? 'refusal' : undefined;
}

/** A server that loads refuses before it says so. */
function loadingCode(facts: NodeFacts | undefined): RedisErrorCode | undefined {
  return facts?.isLoading ? 'REDIS_UNAVAILABLE' : undefined;
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T | undefined {
  return outcome.status === 'fulfilled' ? outcome.value : undefined;
}

function codeOf(error: unknown): RedisErrorCode {
  return toRedisError(error)?.code ?? 'REDIS_UNAVAILABLE';
}
