import type { RedisConnection } from '../redis/index.js';
import { TimeLimit } from '../timing/time-limit.js';
import type { NodeFigures, Omission } from './omission.js';
import { AskedNode } from './asked-node.js';
import { knownNodes } from './known-nodes.js';

/** What the nodes have told, those that have. */
export interface Answers<Figures> {
  readonly nodes: readonly NodeFigures<Figures>[];
  readonly omitted: readonly Omission[];
}

/** Asks all masters side by side. */
export class Inquiry {
  readonly #connection: RedisConnection;
  readonly #timeout: number;
  readonly #limit: TimeLimit;

  /** @param timeout milliseconds that a command may take, or the wait for the connection */
  constructor(connection: RedisConnection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
    this.#limit = new TimeLimit(timeout);
  }

  /**
   * @param look undefined where the node gives nothing of what is wanted
   * @throws RedisError where none can be reached
   */
  async ofAll<Figures extends object>(
    look: (node: AskedNode) => Promise<Figures | undefined>,
  ): Promise<Answers<Figures>> {
    await this.#connection.whenReady(this.#timeout);
    const asked = knownNodes(this.#connection).map((node) => new AskedNode(node, this.#limit));
    const found = await Promise.all(asked.map(async (node) => ({ node, figures: await look(node) })));
    const nodes = found.flatMap(({ node, figures }) => (figures ? [{ node: node.name, ...figures }] : []));
    const omitted = asked.flatMap((node) => node.omitted);
    const [first] = omitted;
    if (first && nodes.length === 0 && omitted.every(({ reason }) => reason === 'unreachable'))
      throw first.error;
    return { nodes, omitted };
  }
}
