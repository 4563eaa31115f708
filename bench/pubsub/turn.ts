import type { Redis } from 'ioredis';
import { serverUsage } from '../support/server-usage.js';
import type { Published, Received } from './processes/protocol.js';

/** What was seen of a subject in one round. */
export interface Turn {
  /** Messages a second. */
  readonly rate: number;
  /** Processor time for a message, in microseconds: of the process with the handlers, the one that publishes, and the server. */
  readonly consumer: number;
  readonly publisher: number;
  readonly server: number;
  /** From publishing to the first handler, in microseconds. */
  readonly delays: readonly number[];
}

export interface Course {
  readonly published: Published;
  readonly received: Received;
}

export async function turnOf(
  redis: Redis,
  messages: number,
  course: () => Promise<Course>,
  began: (course: Course) => number,
): Promise<Turn> {
  const before = await serverUsage(redis);
  const done = await course();
  const after = await serverUsage(redis);
  const { published, received } = done;
  return {
    rate: (messages * 1_000_000) / (received.lastAt - began(done)),
    consumer: received.processor / messages,
    publisher: published.processor / messages,
    server: (after.processor - before.processor) / messages,
    delays: received.delays,
  };
}
