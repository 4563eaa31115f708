import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Info } from '../../redis/shared.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { ServerFigures } from './reports.js';
import { common, reportOf, sum, type Several } from '../../inquiry/together.js';

export async function server(inquiry: Inquiry): Promise<Report<ServerFigures>> {
  return reportOf(await inquiry.ofAll(serverOf), together);
}

async function serverOf(node: AskedNode): Promise<ServerFigures | undefined> {
  const [info, stats] = await Promise.all([node.info('server'), node.info('stats')]);
  if (!info) return undefined;
  return {
    ...versionOf(info),
    mode: modeOf(info),
    uptime: info.count('uptime_in_seconds') * 1_000,
    commandsPerSecond: stats?.count('instantaneous_ops_per_sec') ?? 0,
    received: stats?.count('total_net_input_bytes') ?? 0,
    sent: stats?.count('total_net_output_bytes') ?? 0,
  };
}

/** Valkey tells of itself as Redis 7.2.4 for the sake of clients, and of its own version beside. */
function versionOf(info: Info): Pick<ServerFigures, 'version' | 'flavour'> {
  const valkey = info.text('valkey_version');
  if (valkey !== undefined) return { version: valkey, flavour: 'valkey' };
  return { version: info.text('redis_version') ?? 'unknown', flavour: 'redis' };
}

function modeOf(info: Info): ServerFigures['mode'] {
  const mode = info.text('redis_mode') ?? info.text('server_mode');
  return mode === 'cluster' || mode === 'sentinel' ? mode : 'standalone';
}

function together(nodes: Several<ServerFigures>): ServerFigures {
  return {
    version: common(nodes, ({ version }) => version),
    flavour: nodes[0].flavour,
    mode: nodes[0].mode,
    uptime: Math.min(...nodes.map(({ uptime }) => uptime)),
    commandsPerSecond: sum(nodes, ({ commandsPerSecond }) => commandsPerSecond),
    received: sum(nodes, ({ received }) => received),
    sent: sum(nodes, ({ sent }) => sent),
  };
}
