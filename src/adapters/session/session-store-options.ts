import type { SessionData } from 'express-session';
import type { EncryptionService } from '../../encryption/index.js';
import type { Duration } from '../../redis/index.js';

/** What sessions of express-session and @fastify/session have in common. */
export interface AnySession {
  readonly cookie: {
    readonly originalMaxAge: number | null;
    readonly expires?: Date | null | undefined;
  };
}

/** How a session becomes text, and text a session. */
export interface SessionSerializer {
  stringify(session: SessionData): string;
  /** What it throws, or rejects with, makes the session one that is not there. */
  parse(text: string): SessionData | Promise<SessionData>;
}

/** Options of `RedisSessionStore`. */
export interface RedisSessionStoreOptions {
  /** Keys are `<namespace>:<session id>`. @default 'sess', as connect-redis has it */
  namespace?: string;
  /**
   * How long a session lives after it was last saved or touched, where its cookie does not say when it expires: one that the browser keeps until
   * it is closed. May depend on the session. @default '1d'
   */
  ttl?: Duration | ((session: SessionData) => Duration);
  /** Whether a session that is only read lives longer for it. Where not, only changes prolong it. @default true */
  touch?: boolean;
  /**
   * Encrypts sessions, each bound to its id: none can be put in the place of another. What is not encrypted is then no session: nobody who can
   * write to Redis can make one, and whoever had a session before logs in again. An envelope that was copied can be put back under its own id,
   * though, by whoever can write to Redis: a session as it was before, or one that was destroyed. So can its key be kept from expiring. @default none
   */
  encryption?: EncryptionService;
  /** @default JSON */
  serializer?: SessionSerializer;
}
