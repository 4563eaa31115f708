import { loopback } from './free-port.js';
import type { RedisServer } from './redis-server.js';

const keysAtATime = 100;
const migrateTimeout = 5_000;

/** One end of a migration. */
export interface MigrationEnd {
  server: RedisServer;
  /** Id of the node in the Cluster. */
  id: string;
}

export interface SlotMigrationParts {
  slot: number;
  source: MigrationEnd;
  target: MigrationEnd;
  /** How nodes log in to each other. */
  credentials: { username: string; password: string };
  /** Resolves when every node knows the new owner. */
  settle: () => Promise<void>;
  /** Masters other than the two. */
  others: RedisServer[];
}

/**
 * A slot on its way from one master to another, as in resharding. Until it is finished, the source answers `ASK` for a key of
 * the slot that it does not have (any more), and `TRYAGAIN` for several keys of which only some have moved.
 */
export class SlotMigration {
  readonly slot: number;
  readonly source: RedisServer;
  readonly target: RedisServer;
  readonly #parts: SlotMigrationParts;

  /** Use `beginSlotMigration` of the Cluster. */
  private constructor(parts: SlotMigrationParts) {
    this.slot = parts.slot;
    this.source = parts.source.server;
    this.target = parts.target.server;
    this.#parts = parts;
  }

  static async begin(parts: SlotMigrationParts): Promise<SlotMigration> {
    const { slot, source, target } = parts;
    // The target first: a redirection must not meet a node that does not expect it.
    await setSlot(target.server, slot, 'IMPORTING', source.id);
    await setSlot(source.server, slot, 'MIGRATING', target.id);
    return new SlotMigration(parts);
  }

  /** Moves the keys that the source has now. The slot stays where it is. Resolves to how many they were. */
  async moveKeys(): Promise<number> {
    const { username, password } = this.#parts.credentials;
    const target = [loopback, this.target.port, '', 0, migrateTimeout];
    let moved = 0;
    for (;;) {
      const keys = await this.source.observe((source) => {
        return source.callBuffer('CLUSTER', 'GETKEYSINSLOT', String(this.slot), String(keysAtATime));
      });
      if (!Array.isArray(keys) || keys.length === 0) return moved;
      const names = keys as Buffer[];
      await this.source.observe((source) => {
        return source.call('MIGRATE', ...target, 'AUTH2', username, password, 'KEYS', ...names);
      });
      moved += names.length;
    }
  }

  /** Moves the keys that are left, and makes the target the owner: from now on the source answers `MOVED`. */
  async finish(): Promise<void> {
    await this.moveKeys();
    const { target, source, others } = this.#parts;
    // In this order, so that the slot has an owner whatever happens in between.
    for (const server of [target.server, source.server, ...others])
      await setSlot(server, this.slot, 'NODE', target.id);
    await this.#parts.settle();
  }
}

async function setSlot(server: RedisServer, slot: number, state: string, id: string): Promise<void> {
  await server.observe((client) => client.call('CLUSTER', 'SETSLOT', slot, state, id));
}
