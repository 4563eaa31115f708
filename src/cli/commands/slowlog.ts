import type { SlowCommand } from '../../diagnostics/index.js';
import type { Call } from '../call.js';
import { Session } from '../connection/session.js';
import { EXIT } from '../exit-codes.js';
import { table, type Column } from '../output/table.js';
import { durationText, printable } from '../output/text.js';
import { tellOmissions } from './omissions.js';

export interface SlowlogOptions {
  readonly count: number;
  readonly arguments?: true;
}

/** Prints what the servers have been slow at, the latest first. */
export async function slowlog(call: Call, { count, ...options }: SlowlogOptions): Promise<number> {
  const { terminal } = call;
  await using session = await Session.open(call);
  const withArguments = options.arguments === true;
  const { commands, omitted } = await session.inspector.slowLog({ count, arguments: withArguments });
  if (call.json) terminal.writeJson({ connection: call.connection, commands, omitted });
  else {
    for (const line of table(columns(session, withArguments), commands)) terminal.write(line);
    if (commands.length === 0 && omitted.length === 0) terminal.tell('The slow log is empty.');
    tellOmissions(terminal, omitted);
  }
  return omitted.length > 0 ? EXIT.failed : EXIT.done;
}

function columns({ connection }: Session, withArguments: boolean): Column<SlowCommand>[] {
  return [
    { head: 'Took', text: ({ took }) => durationText(took), align: 'right' },
    { head: 'At', text: ({ at }) => at.toISOString() },
    ...(connection.topology === 'cluster' ? [{ head: 'Node', text: ({ node }: SlowCommand) => node }] : []),
    { head: 'Client', text: ({ client = '' }) => printable(client) },
    { head: 'Command', text: ({ command }) => printable(command) },
    ...(withArguments
      ? [{ head: 'Arguments', text: (each: SlowCommand) => printable((each.arguments ?? []).join(' ')) }]
      : []),
  ];
}
