import type { CommandStatsOptions } from '../options/inspector-options.js';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Answers, Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { CommandFigures, CommandStatsFigures } from './reports.js';
import { groupBy, reportOf, sum } from '../../inquiry/together.js';

export async function commandStats(
  inquiry: Inquiry,
  options: Required<CommandStatsOptions>,
): Promise<Report<CommandStatsFigures>> {
  const { nodes, omitted } = await inquiry.ofAll(commandsOf);
  // What is first of all need not be among the first of any node: all of it is added up before it is cut.
  const answers: Answers<CommandStatsFigures> = {
    nodes: nodes.map(({ node, commands }) => ({ node, ...figuresOf(commands, options) })),
    omitted,
  };
  return reportOf(answers, () => figuresOf(addUp(nodes.flatMap(({ commands }) => commands)), options));
}

async function commandsOf(node: AskedNode): Promise<{ readonly commands: CommandFigures[] } | undefined> {
  const info = await node.info('commandstats');
  const commands = info?.records(/^cmdstat_(.+)$/).map(({ name, record }) =>
    commandOf(name.toLowerCase(), {
      calls: record.count('calls'),
      time: record.count('usec') / 1_000,
      rejected: record.count('rejected_calls'),
      failed: record.count('failed_calls'),
    }),
  );
  return commands && { commands };
}

function addUp(commands: readonly CommandFigures[]): CommandFigures[] {
  const byName = groupBy(commands, ({ command }) => command);
  return Array.from(byName, ([command, parts]) =>
    commandOf(command, {
      calls: sum(parts, ({ calls }) => calls),
      time: sum(parts, ({ time }) => time),
      rejected: sum(parts, ({ rejected }) => rejected),
      failed: sum(parts, ({ failed }) => failed),
    }),
  );
}

function commandOf(command: string, counts: Omit<CommandFigures, 'command' | 'average'>): CommandFigures {
  const { calls, time } = counts;
  return { command, ...counts, average: calls > 0 ? time / calls : 0 };
}

function figuresOf(
  commands: readonly CommandFigures[],
  { top, by }: Required<CommandStatsOptions>,
): CommandStatsFigures {
  return {
    commands: commands.toSorted((a, b) => b[by] - a[by]).slice(0, top),
    calls: sum(commands, ({ calls }) => calls),
    time: sum(commands, ({ time }) => time),
  };
}
