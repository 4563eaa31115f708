/** Options of the driver that rednest sets itself, and what to use instead. */
const OWNED = {
  url: 'use the option url',
  host: 'use the option host',
  port: 'use the option port',
  path: 'use the option path',
  username: 'use the option username',
  password: 'use the option password or credentials',
  db: 'use the option db',
  tls: 'use the option tls, which covers every part of the connection',
  sentinels: 'use the option sentinel.nodes',
  name: 'use the option sentinel.masterName',
  role: 'a connection goes to the master; for replicas build a client of your own',
  sentinelUsername: 'use the option sentinel.username',
  sentinelPassword: 'use the option sentinel.password',
  sentinelTLS: 'use the option tls, which covers Sentinels too',
  enableTLSForSentinelMode: 'use the option tls, which covers Sentinels too',
  natMap: 'use the option cluster.natMap',
  lazyConnect: 'use the option startup',
  Connector: 'use the options url, host, path, sentinel or cluster',
  connectionName: 'use the option clientName',
  connectTimeout: 'use the option connectTimeout',
  commandTimeout: 'use the option commandTimeout',
  socketTimeout: 'use the option stallTimeout',
  maxRetriesPerRequest: 'use the option maxRetriesPerRequest',
  retryStrategy: 'use the option reconnect',
  clusterRetryStrategy: 'use the option reconnect',
  sentinelRetryStrategy: 'use the option reconnect',
  autoResendUnfulfilledCommands: 'rednest decides which commands may be sent twice',
  enableOfflineQueue: 'use the options maxRetriesPerRequest and commandTimeout',
  replyMapping: 'rednest and its types expect the shapes of RESP2; use client.call() where you want others',
  keyPrefix: 'use namespace(), whose keys are the same in scripts, patterns and other processes',
  monitor: 'build a client of your own for MONITOR',
  readOnly: 'a connection goes to the master; for replicas build a client of your own',
  redisOptions: 'give its options flat, under driver',
  dnsLookup: 'host names are kept as they are, since certificates are checked against them',
} as const;

/** Options of the driver that rednest sets itself. Giving one of them under `driver` is refused, with the option to use instead. */
export type OwnedDriverOption = keyof typeof OWNED;

/** The same as a list, for checks at run time. */
export const OWNED_DRIVER_OPTIONS = Object.keys(OWNED) as readonly OwnedDriverOption[];

/** What to use instead of an option of the driver that rednest sets itself; undefined for any other name. */
export function insteadOfDriverOption(name: string): string | undefined {
  return Object.hasOwn(OWNED, name) ? OWNED[name as OwnedDriverOption] : undefined;
}
