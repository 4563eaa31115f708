import { loadPeer } from '../../support/peers.js';
import type { Subject } from './subject.js';

interface Iron {
  readonly defaults: object;
  seal(value: unknown, password: string, options: object): Promise<string>;
  unseal(sealed: string, password: string, options: object): Promise<unknown>;
}

/** With its defaults: AES-256-CBC and HMAC-SHA256, each with a key that is derived from the password for each message. It takes JSON. */
export async function openIron(password: string): Promise<Subject> {
  const iron = await loadPeer<Iron>('@hapi/iron');
  return {
    name: '@hapi/iron',
    authenticates: true,
    encrypt: (plaintext) => iron.seal(plaintext.toString('latin1'), password, iron.defaults),
    decrypt: async (sealed) =>
      Buffer.from((await iron.unseal(sealed as string, password, iron.defaults)) as string, 'latin1'),
  };
}
