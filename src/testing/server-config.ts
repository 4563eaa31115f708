import type { Access, ServerOptions } from './access.js';
import { loopback } from './free-port.js';
import type { ServerHome } from './server-home.js';

/** A directive of `redis.conf`: its name, then its arguments. */
export type Directive = [name: string, ...values: (string | number)[]];

const ownedDirectives = ['port', 'tls-port', 'bind', 'dir', 'logfile', 'daemonize', 'cluster-config-file'];

/** What a server that holds data is started with. */
export function dataDirectives(access: Access, options: ServerOptions): Directive[] {
  const owned = ownedDirectives.filter((name) => name in (options.config ?? {}));
  if (owned.length > 0) throw new Error(`config: rednest/testing sets ${owned.join(', ')} itself`);
  return [
    ['save', ''],
    ['appendonly', 'no'],
    ['masteruser', access.admin.username],
    ['masterauth', access.admin.password],
    ...userDirectives(options),
  ];
}

/** For servers that have replicas or are some: in step within milliseconds. */
export const replicationDirectives: readonly Directive[] = [
  // Without a file, a replica may say that it is in step up to a second before it is sent the writes that follow.
  ['repl-diskless-sync', 'no'],
  // The file would otherwise be taken for persisted data at a restart.
  ['rdb-del-sync-files', 'yes'],
  ['repl-diskless-load', 'swapdb'],
  ['repl-ping-replica-period', 1],
  // How often a second the server looks whether the process that writes the snapshot for a replica has ended.
  ['hz', 100],
];

/**
 * The whole file, as text. What is given under `config` stands instead of the directive of that name. Keys and certificates
 * are written beside it.
 */
export async function renderConfig(
  home: ServerHome,
  server: { port: number; access: Access; directives: Directive[]; config?: Record<string, string> },
): Promise<string> {
  const { port, access, config: given = {} } = server;
  const directives: Directive[] = [
    ['bind', loopback],
    ['protected-mode', 'no'],
    ['dir', home.directory],
    ...(access.tls ? await tlsDirectives(home, access.tls, port) : [['port', port] satisfies Directive]),
    ...server.directives.filter(([name]) => name === 'user' || !(name in given)),
    ['user', access.admin.username, 'on', `>${access.admin.password}`, '~*', '&*', '+@all'],
  ];
  const lines = directives.map(([name, ...values]) => [name, ...values.map(quote)].join(' '));
  // As written by the caller: one value may be several arguments.
  const givenLines = Object.entries(given).map(([name, value]) => `${name} ${value || '""'}`);
  for (const line of givenLines) rejectLineBreak(line);
  return `${[...lines, ...givenLines].join('\n')}\n`;
}

async function tlsDirectives(
  home: ServerHome,
  tls: NonNullable<Access['tls']>,
  port: number,
): Promise<Directive[]> {
  const { ca, server } = tls.certificates;
  return [
    ['port', 0],
    ['tls-port', port],
    ['tls-ca-cert-file', await home.write('ca.pem', ca)],
    ['tls-cert-file', await home.write('server.pem', server.cert)],
    ['tls-key-file', await home.write('server.key', server.key)],
    ['tls-auth-clients', tls.clientAuth ? 'yes' : 'no'],
    ['tls-replication', 'yes'],
    ['tls-cluster', 'yes'],
  ];
}

/** Users and passwords, without the administrator. */
export function userDirectives({ acl, password }: Pick<ServerOptions, 'acl' | 'password'>): Directive[] {
  const users = (acl ?? []).map((line): Directive => {
    rejectLineBreak(line);
    return ['user', ...line.trim().split(/\s+/)];
  });
  if (password !== undefined) return [...users, ['requirepass', password]];
  if (users.length === 0 || users.some(([, name]) => name === 'default')) return users;
  return [...users, ['user', 'default', 'off']];
}

function rejectLineBreak(text: string): void {
  if (/[\r\n]/.test(text)) throw new Error(`A directive must be one line: ${JSON.stringify(text)}`);
}

/** A value as one argument, whatever is in it. */
function quote(value: string | number): string {
  const text = String(value);
  if (/^[\w.+-][\w.:/+@-]*$/.test(text)) return text;
  const escaped = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === '\\') return `\\${character}`;
    return byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : character;
  });
  return `"${escaped.join('')}"`;
}
