import type { Info } from './info.js';

/** What `INFO clients` tells. What a server does not tell is undefined. */
export interface ClientsReading {
  readonly connected: number | undefined;
  /** `maxclients`. */
  readonly limit: number | undefined;
  /** Waiting in a blocking command. */
  readonly blocked: number | undefined;
}

/** @param info the section `clients`, or all of them */
export function readClients(info: Info): ClientsReading {
  return {
    connected: info.number('connected_clients'),
    limit: info.number('maxclients'),
    blocked: info.number('blocked_clients'),
  };
}
