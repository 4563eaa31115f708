import type { HostAndPort } from '../options/resolved-options.js';

/** Of a node as the driver names it, `host:port`. An IPv6 address has no brackets there. */
export function splitNode(node: string): HostAndPort {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
}

/** How the driver names a node. */
export function nodeName({
  host = '',
  port = 0,
}: {
  host?: string | undefined;
  port?: number | undefined;
}): string {
  return `${host}:${port}`;
}
