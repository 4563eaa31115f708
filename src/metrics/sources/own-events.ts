import type { RedisConnections } from '../../redis/index.js';

interface OfConnection {
  readonly connectionId: string | undefined;
}

/** `diagnostics_channel` is the process's: what other applications tell there is not looked at. */
export class OwnEvents {
  readonly #connections: RedisConnections;

  constructor(connections: RedisConnections) {
    this.#connections = connections;
  }

  /** Has `listen`, which knows what its channel tells, told of the events of this application's connections. */
  only(listen: (event: never) => void): (message: unknown) => void {
    return (message) => {
      if (this.#has((message as OfConnection).connectionId)) listen(message as never);
    };
  }

  #has(id: string | undefined): boolean {
    for (const connection of this.#connections) if (connection.id === id) return true;
    return false;
  }
}
