import type { SessionData } from 'express-session';
import type { ResolvedSessionStoreOptions } from './resolve-session-store-options.js';

/** What is stored is no session. The message shows nothing of it. */
export class UnreadableSessionError extends Error {}

/** What is stored for a session: text, or its envelope. */
export class SessionCodec {
  readonly #encryption: ResolvedSessionStoreOptions['encryption'];
  readonly #serializer: ResolvedSessionStoreOptions['serializer'];

  constructor({ encryption, serializer }: ResolvedSessionStoreOptions) {
    this.#encryption = encryption;
    this.#serializer = serializer;
  }

  /** @throws what the serializer throws; EncryptionError */
  write(key: string, session: SessionData): string | Buffer {
    const text = this.#serializer.stringify(session);
    return this.#encryption ? this.#encryption.encrypt(text, contextOf(key)) : text;
  }

  /** @throws UnreadableSessionError */
  async read(key: string, stored: Buffer): Promise<SessionData> {
    const session = await this.#parse(this.#decrypt(key, stored));
    // Without a cookie, express-session would fail with it at each request.
    if (!isObject(session) || !isObject(session.cookie))
      throw new UnreadableSessionError('it is no object with a cookie');
    return session as SessionData;
  }

  #decrypt(key: string, stored: Buffer): string {
    if (!this.#encryption) return stored.toString();
    try {
      return this.#encryption.decrypt<string>(stored, contextOf(key));
    } catch (error) {
      throw new UnreadableSessionError(`it cannot be decrypted: ${(error as Error).message}`);
    }
  }

  async #parse(text: string): Promise<Partial<SessionData>> {
    try {
      return await this.#serializer.parse(text);
    } catch {
      // What a parser says shows some of the text.
      throw new UnreadableSessionError('it is not what the serializer writes (JSON by default)');
    }
  }
}

/** With the key, and so the id: an envelope is worth nothing in another's place. */
function contextOf(key: string): { readonly context: string } {
  return { context: `session:${key}` };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
