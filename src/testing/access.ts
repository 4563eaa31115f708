import { randomBytes } from 'node:crypto';
import type { RedisOptions } from 'ioredis';
import type { RedisTlsOptions } from '../redis/options/redis-options.js';
import { makeCertificates, type Certificates } from './certificates.js';
import { loopback } from './free-port.js';

// The driver's overloads do not take this option where its type is not known exactly; nothing here sets it.
type DriverOptions = Omit<RedisOptions, 'replyMapping'>;

/** TLS of the servers. */
export interface ServerTlsOptions {
  /** Whether clients must present a certificate (mutual TLS). `.options` then carries one. @default false */
  clientAuth?: boolean;
  /** Certificates of `makeCertificates()`, for servers that are to share them. @default new ones */
  certificates?: Certificates;
}

/** What standalone servers, Sentinel groups and Clusters have in common. */
export interface ServerOptions {
  /** `true` or its settings: the servers then speak TLS only, among themselves too. @default false */
  tls?: boolean | ServerTlsOptions;
  /** Password of the user `default`. @default none */
  password?: string;
  /**
   * Users, each the text that follows `ACL SETUSER`, such as `'app on >secret ~app:* +@read'`. The first with a `>password` is
   * the one that `.options` carries. The user `default` is then switched off unless `password` or a line of its own sets it:
   * a connection that forgets its credentials is refused.
   */
  acl?: string[];
  /** Directives of `redis.conf`, such as `{ maxmemory: '10mb' }`. By default nothing is persisted. */
  config?: Record<string, string>;
}

/** Who may do what on the servers of one topology, and with which certificates. */
export interface Access {
  /** A user of the test helper itself with all permissions, so that it is never locked out. */
  admin: { username: string; password: string };
  /** What `.options` carries. */
  user: { username?: string; password?: string };
  tls?: { certificates: Certificates; clientAuth: boolean };
}

/** Makes the administrator, and the certificates if TLS is asked for. */
export async function prepareAccess(options: ServerOptions): Promise<Access> {
  const admin = {
    username: `rednest-admin-${randomBytes(4).toString('hex')}`,
    password: randomBytes(16).toString('hex'),
  };
  const access = { admin, user: userOf(options) };
  if (!options.tls) return access;
  const { certificates, clientAuth = false } = options.tls === true ? {} : options.tls;
  return { ...access, tls: { certificates: certificates ?? (await makeCertificates()), clientAuth } };
}

/** The part of `.options` that is the same for every topology. */
export function credentialOptions(access: Access): {
  username?: string;
  password?: string;
  tls?: RedisTlsOptions;
} {
  return access.tls ? { ...access.user, tls: clientTls(access.tls) } : { ...access.user };
}

/** How the helper's own connections log in. */
export function adminOptions(access: Access): DriverOptions {
  return access.tls ? { ...access.admin, tls: clientTls(access.tls) } : { ...access.admin };
}

/** How the helper connects to one server. It does not reconnect: what was sent to a server that dies fails at once. */
export function adminConnection(access: Access, port: number): DriverOptions {
  return {
    ...adminOptions(access),
    host: loopback,
    port,
    lazyConnect: true,
    retryStrategy: null,
    connectionName: 'rednest-testing',
  };
}

function clientTls(tls: NonNullable<Access['tls']>): { ca: string; cert?: string; key?: string } {
  const { ca, client } = tls.certificates;
  return tls.clientAuth ? { ca, ...client } : { ca };
}

/** Name and password of the first user that has one. */
export function userOf({ acl = [], password }: Pick<ServerOptions, 'acl' | 'password'>): Access['user'] {
  for (const line of acl) {
    const [username, ...rules] = line.trim().split(/\s+/);
    const secret = rules.find((rule) => rule.startsWith('>'));
    if (username && secret) return { username, password: secret.slice(1) };
  }
  return password === undefined ? {} : { password };
}
