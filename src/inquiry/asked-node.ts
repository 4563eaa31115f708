import type { Redis } from 'ioredis';
import {
  RedisCommandError,
  RedisError,
  RedisPermissionError,
  RedisUnavailableError,
  type RedisErrorCode,
} from '../redis/index.js';
import { askUntimed, Info, orRedisError } from '../redis/shared.js';
import type { TimeLimit } from '../timing/time-limit.js';
import type { Omission } from './omission.js';
import type { KnownNode } from './known-nodes.js';

/** A field that every server tells which has the section: a reply without it tells nothing. Where there is none, the heading stands for it. */
const ESSENTIAL = {
  server: 'redis_version',
  clients: 'connected_clients',
  memory: 'used_memory',
  persistence: 'loading',
  stats: 'total_commands_processed',
  replication: 'role',
  commandstats: undefined,
  keyspace: undefined,
} as const;

/** Whoever gets one of these gets nothing else of the server either. */
const UNREACHABLE: readonly RedisErrorCode[] = [
  'REDIS_UNAVAILABLE',
  'REDIS_CONNECTION_LOST',
  'REDIS_TIMEOUT',
  'REDIS_CLOSED',
  'REDIS_AUTH',
  'REDIS_TLS',
];

export type InfoSection = keyof typeof ESSENTIAL;

/** A server that is asked for its figures. What it does not give is noted, and the rest goes on. */
export class AskedNode {
  readonly name: string;
  readonly omitted: Omission[] = [];
  readonly #client: Redis | undefined;
  readonly #limit: TimeLimit | undefined;

  /** @param limit without one, a section of `INFO` is awaited until it comes or the connection is lost. The connection's `commandTimeout` is not for it */
  constructor({ name, client }: KnownNode, limit?: TimeLimit) {
    this.name = name;
    this.#client = client;
    this.#limit = limit;
  }

  /**
   * Questions of one turn of the event loop are sent together.
   *
   * @param part what is omitted otherwise
   * @returns undefined where it is
   */
  async ask<T>(part: string, command: (client: Redis) => Promise<T>): Promise<T | undefined> {
    try {
      const reply = this.#send(command);
      return await (this.#limit ? this.#limit.apply(reply) : reply);
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      this.#omit(part, error);
      return undefined;
    }
  }

  /** A section of `INFO`; one at a time, since servers before 7.0 take no more. */
  async info(section: InfoSection): Promise<Info | undefined> {
    const part = `INFO ${section}`;
    const text = await this.ask(part, (client) => askUntimed(client, 'info', section));
    if (text === undefined) return undefined;
    const info = new Info(text);
    const essential = ESSENTIAL[section];
    const isTold = essential ? info.text(essential) !== undefined : hasHeading(text, section);
    if (isTold) return info;
    this.#omit(part, new RedisCommandError(`${part} does not tell ${essential ?? 'anything'}`));
    return undefined;
  }

  async #send<T>(command: (client: Redis) => Promise<T>): Promise<T> {
    if (!this.#client) throw new RedisUnavailableError(`The master ${this.name} is not connected`);
    return orRedisError(command(this.#client));
  }

  #omit(part: string, error: RedisError): void {
    this.omitted.push({ part, node: this.name, reason: reasonOf(error), error });
  }
}

function hasHeading(text: string, section: InfoSection): boolean {
  return text.toLowerCase().startsWith(`# ${section}`);
}

function reasonOf(error: RedisError): Omission['reason'] {
  if (error instanceof RedisPermissionError) return 'not permitted';
  return UNREACHABLE.includes(error.code) ? 'unreachable' : 'not available';
}
