import type { Inquiry } from '../../inquiry/inquiry.js';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Report } from '../../inquiry/omission.js';
import type { DatabaseFigures, KeyspaceFigures } from './reports.js';
import { groupBy, reportOf, sum, type Several } from '../../inquiry/together.js';

export async function keyspace(inquiry: Inquiry): Promise<Report<KeyspaceFigures>> {
  return reportOf(await inquiry.ofAll(keyspaceOf), together);
}

async function keyspaceOf(node: AskedNode): Promise<KeyspaceFigures | undefined> {
  const info = await node.info('keyspace');
  const databases = info?.records(/^db(\d+)$/).map(({ name, record }) => ({
    database: Number(name),
    keys: record.count('keys'),
    expiring: record.count('expires'),
    averageTtl: record.count('avg_ttl'),
  }));
  return databases && figuresOf(databases);
}

function together(nodes: Several<KeyspaceFigures>): KeyspaceFigures {
  const byNumber = groupBy(
    nodes.flatMap(({ databases }) => databases),
    ({ database }) => database,
  );
  return figuresOf(Array.from(byNumber, ([database, parts]) => databaseOf(database, parts)));
}

function databaseOf(database: number, parts: readonly DatabaseFigures[]): DatabaseFigures {
  const expiring = sum(parts, (part) => part.expiring);
  const ttl = sum(parts, (part) => part.expiring * part.averageTtl);
  return {
    database,
    keys: sum(parts, ({ keys }) => keys),
    expiring,
    averageTtl: expiring > 0 ? Math.round(ttl / expiring) : 0,
  };
}

function figuresOf(databases: readonly DatabaseFigures[]): KeyspaceFigures {
  return { keys: sum(databases, ({ keys }) => keys), databases };
}
