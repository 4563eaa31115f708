import type { ClusterOptions, RedisOptions as IoRedisOptions } from 'ioredis';
import type { OwnedDriverOption } from './owned-driver-options.js';

export type { OwnedDriverOption } from './owned-driver-options.js';

/** A length of time: milliseconds as a number, or a string with a unit, such as `'250ms'`, `'5s'`, `'10m'`, `'1h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/**
 * A host and a port, or `'host:port'` (`'[::1]:6379'` for IPv6); never a URL. The port of a Redis node is 6379 by default, that of
 * a Sentinel 26379.
 */
export type NodeAddress = string | { host: string; port?: number };

/** User name and password for Redis' `AUTH`. Without `username`, Redis takes the user `default`. */
export interface RedisCredentials {
  username?: string;
  password: string;
  /**
   * When the password stops being valid (a `Date`, or milliseconds since the epoch). New credentials are asked for and sent
   * with `AUTH` on the open connections before that moment.
   */
  expiresAt?: Date | number;
}

/** Asked for credentials before every connect, and whenever the last ones are about to expire. */
export type CredentialsProvider = () => RedisCredentials | Promise<RedisCredentials>;

/** TLS, the same for every topology. A certificate or key is PEM text or bytes, or a file that is read at each start. */
export interface RedisTlsOptions {
  /** Certificate authorities to trust instead of those of the system, as PEM. */
  ca?: string | Buffer;
  /** The same, as the path of a file. */
  caFile?: string;
  /** Client certificate for mutual TLS, as PEM. Needs `key` or `keyFile`. */
  cert?: string | Buffer;
  /** The same, as the path of a file. */
  certFile?: string;
  /** Private key of the client certificate, as PEM. */
  key?: string | Buffer;
  /** The same, as the path of a file. */
  keyFile?: string;
  /** Passphrase of the private key. */
  passphrase?: string;
  /** Name to expect in the server's certificate, where it differs from the host that is dialled. */
  servername?: string;
  /** Lowest TLS version to accept. @default 'TLSv1.2' */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** `false` accepts any certificate: the connection is then encrypted, but not authenticated. A warning is logged. @default true */
  rejectUnauthorized?: boolean;
}

/** Where the master is found by asking Sentinels. */
export interface SentinelOptions {
  /** Name of the master group, as in `sentinel monitor <name> …`. */
  masterName: string;
  /** Some of the Sentinels; the others are learnt from them. */
  nodes: NodeAddress[];
  /** User name for the Sentinels themselves. */
  username?: string;
  /** Password for the Sentinels themselves. */
  password?: string;
}

/** A Redis Cluster. */
export interface ClusterTopologyOptions {
  /** Some of the nodes; the others are learnt from them. */
  nodes: NodeAddress[];
  /** Where nodes announce addresses that cannot be reached from here: announced `host:port` to reachable address. */
  natMap?: Record<string, { host: string; port: number }>;
}

/**
 * A single server by URL: `redis://user:password@host:6379/0`, `rediss://…` for TLS, or `unix:///path/to/redis.sock?db=0`. User,
 * password and database may stand in it or in the options; in both, they must be the same. A special character in user or
 * password is percent-encoded. No query parameter but `db` is known: everything else is an option.
 */
export interface UrlAddress {
  url: string;
  host?: never;
  port?: never;
  path?: never;
  sentinel?: never;
  cluster?: never;
}
/** A single server by host and port. */
export interface HostAddress {
  host: string;
  /** @default 6379 */
  port?: number;
  url?: never;
  path?: never;
  sentinel?: never;
  cluster?: never;
}
/** A single server by Unix socket. */
export interface SocketAddress {
  path: string;
  url?: never;
  host?: never;
  port?: never;
  sentinel?: never;
  cluster?: never;
}
/** A master that Sentinels watch. */
export interface SentinelAddress {
  sentinel: SentinelOptions;
  url?: never;
  host?: never;
  port?: never;
  path?: never;
  cluster?: never;
}
/** A Redis Cluster. It has no databases: `db` is refused. */
export interface ClusterAddress {
  cluster: ClusterTopologyOptions;
  url?: never;
  host?: never;
  port?: never;
  path?: never;
  sentinel?: never;
  db?: never;
}
/**
 * No address in code: it is read from the environment, and so are credentials, database, TLS and startup (see `.env.example`).
 * Options that are given in code all the same win over their variables, one by one. With any address in code, no variable is
 * read for the connection.
 */
export interface EnvironmentAddress {
  url?: never;
  host?: never;
  port?: never;
  path?: never;
  sentinel?: never;
  cluster?: never;
}

export type RedisAddress =
  UrlAddress | HostAddress | SocketAddress | SentinelAddress | ClusterAddress | EnvironmentAddress;

/** Dedicated connections, for what must not share one: `WATCH`, blocking commands. */
export interface PoolOptions {
  /** Connections at most (on a Cluster: for each node). They are opened when needed. @default 10 */
  size?: number;
  /** How long a taker waits for a connection before `RedisPoolTimeoutError`. @default '5s' */
  acquireTimeout?: Duration;
  /** Takers that may wait at a time; one more gets `RedisPoolExhaustedError` at once. @default 1000 */
  queueLimit?: number;
  /** An idle connection is closed after this time. @default '30s' */
  idleTimeout?: Duration;
}

/** Whatever else ioredis can do; passed on without further checks. On a Cluster, node options and Cluster options alike are given here, flat. */
export type DriverOptions = Omit<IoRedisOptions & ClusterOptions, OwnedDriverOption>;

/** What every topology has in common. */
export interface RedisCommonOptions {
  /** User name (Redis ACL). */
  username?: string;
  /** Password. */
  password?: string;
  /** Credentials that change: asked for before every connect. Stands instead of `username` and `password`. */
  credentials?: CredentialsProvider;
  /** Database number. Not on a Cluster. @default 0 */
  db?: number;
  /** `true` for TLS with the system's authorities, or its settings. No part of the connection may then be plaintext. @default false */
  tls?: boolean | RedisTlsOptions;
  /** Name shown by `CLIENT LIST`: printable ASCII without spaces. @default 'rednest:<name of the connection>' */
  clientName?: string;
  /**
   * `'required'`: the application starts when Redis is ready, and fails to start when it is not within `startupTimeout`.
   * `'optional'`: the application starts without waiting, and the connection is made when Redis is there.
   * @default 'required'
   */
  startup?: 'required' | 'optional';
  /** @default '10s' */
  startupTimeout?: Duration;
  /** How long shutdown waits for dedicated connections to come back and pending commands to be answered. @default '5s' */
  shutdownTimeout?: Duration;
  /** How long one attempt to connect may take. The driver's 10 s would let a black hole hold every command for half a minute. @default '5s' */
  connectTimeout?: Duration;
  /**
   * How long a command may take, its wait for a connection included. None by default: a timer for each command costs
   * throughput, and a blocking command would be cut off. @default none
   */
  commandTimeout?: Duration;
  /**
   * A connection that owes a reply and sends nothing for this long (at most a quarter longer) is given up, and its commands are
   * rejected: the other end has vanished, and TCP would take 15 minutes to say so. It should be longer than the slowest
   * command; blocking ones (`BLPOP`, `XREAD`) are left to wait. @default '30s'
   */
  stallTimeout?: Duration;
  /**
   * Attempts to reconnect that a command waits for before it fails as unavailable. The driver's 20 holds a request for about
   * 71 s before its caller learns anything. @default 2
   */
  maxRetriesPerRequest?: number;
  /** Exponential backoff between attempts to connect. The driver's maximum of 5 s would delay recovery for as long. */
  reconnect?: {
    /** @default '50ms' */
    initialDelay?: Duration;
    /** @default '1s' */
    maxDelay?: Duration;
  };
  pool?: PoolOptions;
  driver?: DriverOptions;
}

/**
 * Options of one connection. What is undefined counts as not given. Durations are used for timers: more than 0 (`shutdownTimeout`
 * and `reconnect.initialDelay` may be 0) and 24.8 days at most.
 */
export type RedisOptions = RedisAddress & RedisCommonOptions;
