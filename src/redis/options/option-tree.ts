import { showValue } from './mask.js';
import type { Problems } from './problems.js';
import type {
  ClusterTopologyOptions,
  PoolOptions,
  RedisOptions,
  RedisTlsOptions,
  SentinelOptions,
} from './redis-options.js';
import type { Given } from './settings.js';
import { reportUnknown } from './unknown-options.js';

type Leaf = true;
type Group = Readonly<Record<string, Leaf>>;
type NameOf<T> = T extends unknown ? keyof T : never;

/** Every option by its path. A group (`tls`) has options of its own; a leaf is checked where it is used. */
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

/**
 * Flattens the options given in code to their paths. Unknown options and groups that are no objects are reported; what is
 * undefined counts as not given.
 */
export function readOptions(options: unknown, problems: Problems): Map<string, Given> {
  const given = new Map<string, Given>();
  if (!isObject(options)) {
    problems.add('options', `${showValue(options)} is not an object of options`);
    return given;
  }
  reportUnknown('', options, OPTION_TREE, problems);
  for (const [name, content] of Object.entries<Leaf | Group>(OPTION_TREE)) {
    const value = options[name];
    if (value === undefined) continue;
    if (content === true) given.set(name, { option: name, value, source: 'code' });
    else readGroup(name, value, content, given, problems);
  }
  return given;
}

function readGroup(
  name: string,
  value: unknown,
  content: Group,
  given: Map<string, Given>,
  problems: Problems,
): void {
  const add = (option: string, found: unknown): void => {
    if (found !== undefined) given.set(option, { option, value: found, source: 'code' });
  };
  if (name === 'tls' && typeof value === 'boolean') return add(name, value);
  if (!isObject(value)) {
    const expected = `${name === 'tls' ? 'true, false or ' : ''}an object of ${Object.keys(content).join(', ')}`;
    problems.add(name, `${showValue(value)} is not ${expected}`);
    given.set(name, { option: name, value: undefined, source: 'code' });
    return;
  }
  add(name, true);
  reportUnknown(`${name}.`, value, content, problems);
  for (const option of Object.keys(content)) add(`${name}.${option}`, value[option]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
