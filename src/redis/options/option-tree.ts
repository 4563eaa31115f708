import { flattenOptions, type Group, type Leaf } from './flatten-options.js';
import { insteadOfDriverOption } from './owned-driver-options.js';
import type { Problems } from './problems.js';
import type {
  ClusterTopologyOptions,
  PoolOptions,
  RedisOptions,
  RedisTlsOptions,
  SentinelOptions,
} from './redis-options.js';
import type { Given } from './settings.js';

type NameOf<T> = T extends unknown ? keyof T : never;

export const OPTION_TREE = {
  url: true,
  host: true,
  port: true,
  path: true,
  sentinel: { masterName: true, nodes: true, username: true, password: true } satisfies Record<
    keyof SentinelOptions,
    Leaf
  >,
  cluster: { nodes: true, natMap: true } satisfies Record<keyof ClusterTopologyOptions, Leaf>,
  username: true,
  password: true,
  credentials: true,
  db: true,
  tls: {
    ca: true,
    caFile: true,
    cert: true,
    certFile: true,
    key: true,
    keyFile: true,
    passphrase: true,
    servername: true,
    minVersion: true,
    rejectUnauthorized: true,
  } satisfies Record<keyof RedisTlsOptions, Leaf>,
  clientName: true,
  startup: true,
  startupTimeout: true,
  shutdownTimeout: true,
  connectTimeout: true,
  stallTimeout: true,
  commandTimeout: true,
  maxRetriesPerRequest: true,
  reconnect: { initialDelay: true, maxDelay: true },
  pool: { size: true, acquireTimeout: true, queueLimit: true, idleTimeout: true } satisfies Record<
    keyof PoolOptions,
    Leaf
  >,
  driver: true,
} as const satisfies Record<NameOf<RedisOptions>, Leaf | Group>;

/** The options given in code, by their paths. */
export function readOptions(options: unknown, problems: Problems): Map<string, Given> {
  return flattenOptions(options, OPTION_TREE, problems, {
    shorthands: { tls: { accepts: (value) => typeof value === 'boolean', expected: 'true, false' } },
    instead: insteadOfDriverOption,
  });
}
