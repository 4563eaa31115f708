import { isIPv6 } from 'node:net';
import { showValue } from './mask.js';
import type { Problems } from './problems.js';
import type { HostAndPort } from './resolved-options.js';
import { reportUnknown } from './unknown-options.js';

/** What a port is, for messages. */
export const PORT_EXPECTED = 'a port (1 to 65535)';

const NODE = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;
const HOST = /^[^\s:/\\@?#,[\]]+$/;

/** A host name or IP address as the driver wants it (IPv6 without brackets), or undefined. */
export function readHost(text: string): string | undefined {
  if (isIPv6(text)) return text;
  const bracketed = /^\[(.+)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
  return HOST.test(text) ? text : undefined;
}

export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** `host`, `host:port`, `[::1]:6379`; undefined for anything else. */
export function readNodeText(text: string, defaultPort: number): HostAndPort | undefined {
  const [, hostText, portText] = NODE.exec(text) ?? [];
  const host = hostText === undefined ? undefined : readHost(hostText);
  const port = portText === undefined ? defaultPort : Number(portText);
  return host !== undefined && isPort(port) ? { host, port } : undefined;
}

/** Checks the address of a Sentinel or Cluster node. */
export function readNode(
  value: unknown,
  defaultPort: number,
  option: string,
  problems: Problems,
): HostAndPort | undefined {
  if (typeof value === 'string') {
    const node = readNodeText(value.trim(), defaultPort);
    if (!node) problems.add(option, `${showValue(value)} ${nodeFault(value)}`);
    return node;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.add(option, `${showValue(value)} is neither 'host:port' nor { host, port }`);
    return undefined;
  }
  return readNodeObject(value, defaultPort, option, problems);
}

function readNodeObject(
  node: { host?: unknown; port?: unknown },
  defaultPort: number,
  option: string,
  problems: Problems,
): HostAndPort | undefined {
  reportUnknown(`${option}.`, node, { host: true, port: true }, problems);
  const host = typeof node.host === 'string' ? readHost(node.host) : undefined;
  const port = node.port ?? defaultPort;
  if (host === undefined) problems.add(`${option}.host`, hostFault(node.host));
  if (!isPort(port)) problems.add(`${option}.port`, `${showValue(port)} is not ${PORT_EXPECTED}`);
  return host !== undefined && isPort(port) ? { host, port } : undefined;
}

/** Why a value is no host. */
export function hostFault(value: unknown): string {
  const shown = showValue(value);
  if (typeof value !== 'string') return `${shown} is not a host name or IP address`;
  if (value.includes('://')) return `${shown} is a URL, not a host name or IP address; a URL goes into url`;
  return `${shown} is not a host name or IP address (the port goes into port)`;
}

/** A URL here must not pass: with `rediss://` in it one would believe the connection encrypted. */
function nodeFault(value: string): string {
  if (!value.includes('://')) return 'is not host:port ([::1]:6379 for IPv6)';
  return 'is a URL; give host:port, and ask for TLS with the option tls (USE_TLS in the environment), for all nodes at once';
}
