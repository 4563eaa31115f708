import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import type { CredentialsProvider, DriverOptions } from './redis-options.js';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where to connect to. */
export type RedisTarget =
  | ({ readonly kind: 'standalone' } & HostAndPort)
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'sentinel';
      readonly masterName: string;
      readonly nodes: readonly HostAndPort[];
      readonly username?: string;
      readonly password?: string;
    }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly HostAndPort[];
      readonly natMap?: Record<string, HostAndPort>;
    };

/** Options of a connection after environment, defaults and validation: complete, durations in milliseconds. */
export interface ResolvedRedisOptions {
  readonly name: string;
  readonly target: RedisTarget;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Set where credentials are asked for at each connect (a callback, or a password file). `password` is then undefined. */
  readonly credentials: CredentialsProvider | undefined;
  readonly db: number;
  /** Complete TLS settings with the files read, or undefined for plaintext. */
  readonly tls: TlsConnectionOptions | undefined;
  readonly clientName: string;
  readonly startup: 'required' | 'optional';
  readonly startupTimeout: number;
  readonly shutdownTimeout: number;
  readonly connectTimeout: number;
  readonly commandTimeout: number | undefined;
  readonly stallTimeout: number;
  readonly maxRetriesPerRequest: number;
  readonly reconnect: { readonly initialDelay: number; readonly maxDelay: number };
  readonly pool: {
    readonly size: number;
    readonly acquireTimeout: number;
    readonly queueLimit: number;
    readonly idleTimeout: number;
  };
  readonly driver: DriverOptions;
  /** What the operator should hear of at start, such as a certificate that is not checked. */
  readonly warnings: readonly string[];
}
