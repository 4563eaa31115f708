import type { Redis } from 'ioredis';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { ResolvedSlowLogOptions } from '../options/resolve-inspector-options.js';
import type { SlowCommand, SlowLogReport } from './reports.js';

/** Text with the driver's `stringNumbers`. */
type Count = number | string;

/** An entry as the server gives it: id, seconds of its clock, microseconds, the command's words; since 4.0, address and name of the client. */
type Entry = readonly [id: Count, at: Count, took: Count, words: readonly string[], ...client: string[]];

export async function slowLog(inquiry: Inquiry, options: ResolvedSlowLogOptions): Promise<SlowLogReport> {
  const { nodes, omitted } = await inquiry.ofAll((node) => slowestOf(node, options));
  const commands = nodes
    .flatMap((each) => each.commands)
    .toSorted((one, other) => other.at.getTime() - one.at.getTime() || other.id - one.id)
    .slice(0, options.count);
  return { commands, omitted };
}

async function slowestOf(
  node: AskedNode,
  options: ResolvedSlowLogOptions,
): Promise<{ readonly commands: readonly SlowCommand[] } | undefined> {
  const entries = await node.ask('SLOWLOG GET', (client) => entriesOf(client, options.count));
  return entries && { commands: entries.map((entry) => commandOf(node.name, entry, options)) };
}

function entriesOf(client: Redis, count: number): Promise<Entry[]> {
  return client.slowlog('GET', count) as Promise<Entry[]>;
}

function commandOf(node: string, entry: Entry, options: ResolvedSlowLogOptions): SlowCommand {
  const [id, at, took, [command = '', ...rest], , client] = entry;
  return {
    node,
    id: Number(id),
    at: new Date(Number(at) * 1_000),
    took: Number(took) / 1_000,
    command: command.toLowerCase(),
    ...(options.arguments && { arguments: rest }),
    ...(client && { client }),
  };
}
