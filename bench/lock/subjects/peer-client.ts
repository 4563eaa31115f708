import { loadPeer } from '../../support/peers.js';

/** What peers are handed on; they were written for version 5 of ioredis. */
export interface PeerClient {
  quit(): Promise<unknown>;
}

export async function openPeerClient(url: string): Promise<PeerClient> {
  const { Redis } = await loadPeer<{ Redis: new (url: string) => PeerClient }>('ioredis');
  return new Redis(url);
}
