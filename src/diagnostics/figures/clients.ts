import { readClients } from '../../redis/shared.js';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { ClientFigures, NamedClients } from './reports.js';
import { groupBy, reportOf, sum, sumOfAll, type Several } from '../../inquiry/together.js';

export async function clients(inquiry: Inquiry): Promise<Report<ClientFigures>> {
  return reportOf(await inquiry.ofAll(clientsOf), together);
}

async function clientsOf(node: AskedNode): Promise<ClientFigures | undefined> {
  const [info, stats, list] = await Promise.all([
    node.info('clients'),
    node.info('stats'),
    node.ask('CLIENT LIST', (client) => client.client('LIST') as Promise<string>),
  ]);
  if (!info) return undefined;
  const { connected = 0, limit, blocked = 0 } = readClients(info);
  return {
    connected,
    limit,
    blocked,
    rejected: stats?.count('rejected_connections') ?? 0,
    byName: list === undefined ? undefined : byName(namesIn(list)),
  };
}

/** One for each line, such as `id=7 addr=10.0.0.1:5000 name=worker age=12 idle=3 …`. Names have no spaces. */
function namesIn(list: string): NamedClients[] {
  return list
    .split('\n')
    .filter((line) => line.startsWith('id='))
    .map((line) => ({
      name: / name=(\S*)/.exec(line)?.[1] ?? '',
      connections: 1,
      idleMost: Number(/ idle=(\d+)/.exec(line)?.[1] ?? 0) * 1_000,
    }));
}

function byName(connections: readonly NamedClients[]): NamedClients[] {
  const named = Array.from(
    groupBy(connections, ({ name }) => name),
    ([name, group]) => ({
      name,
      connections: sum(group, (each) => each.connections),
      idleMost: Math.max(...group.map(({ idleMost }) => idleMost)),
    }),
  );
  return named.toSorted((one, other) => other.connections - one.connections);
}

function together(nodes: Several<ClientFigures>): ClientFigures {
  const lists = nodes.map((node) => node.byName).filter((list) => list !== undefined);
  return {
    connected: sum(nodes, ({ connected }) => connected),
    limit: sumOfAll(nodes, ({ limit }) => limit),
    blocked: sum(nodes, ({ blocked }) => blocked),
    rejected: sum(nodes, ({ rejected }) => rejected),
    byName: lists.length > 0 ? byName(lists.flat()) : undefined,
  };
}
