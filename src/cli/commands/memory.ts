import type { MemoryReport, MemorySample } from '../../diagnostics/index.js';
import type { Call } from '../call.js';
import { Session } from '../connection/session.js';
import { EXIT } from '../exit-codes.js';
import { table, type Column } from '../output/table.js';
import { countText, durationText, percent, round, sizeText } from '../output/text.js';
import { tellOmissions } from './omissions.js';

type Node = MemoryReport['nodes'][number];

export interface MemoryOptions {
  /** Milliseconds between samples; undefined for a single look. */
  readonly watch?: number | undefined;
}

/** Prints how the memory of the servers is used, once or again and again. */
export async function memory(call: Call, { watch }: MemoryOptions): Promise<number> {
  await using session = await Session.open(call);
  if (watch !== undefined) return await watchMemory(call, session, watch);
  const report = await session.inspector.memory();
  const { terminal } = call;
  if (call.json) terminal.writeJson({ connection: call.connection, ...report });
  else {
    for (const line of table(COLUMNS, rowsOf(report))) terminal.write(line);
    for (const warning of report.warnings) terminal.write(terminal.style('yellow', `! ${warning}`));
    tellOmissions(terminal, report.omitted);
  }
  return report.omitted.length > 0 ? EXIT.failed : EXIT.done;
}

const COLUMNS: readonly Column<Node>[] = [
  { head: 'Node', text: ({ node }) => node },
  { head: 'Used', text: ({ used }) => sizeText(used), align: 'right' },
  { head: 'Peak', text: ({ peak }) => sizeText(peak), align: 'right' },
  { head: 'Resident', text: ({ resident }) => sizeText(resident), align: 'right' },
  { head: 'Fragmentation', text: ({ fragmentation }) => round(fragmentation), align: 'right' },
  { head: 'Limit', text: ({ limit }) => (limit === undefined ? 'none' : sizeText(limit)), align: 'right' },
  { head: 'Full', text: ({ ratio }) => (ratio === undefined ? '' : percent(ratio)), align: 'right' },
  { head: 'Policy', text: ({ policy }) => policy },
  { head: 'Evicted', text: ({ evicted }) => countText(evicted), align: 'right' },
];

function rowsOf(report: MemoryReport): readonly Node[] {
  const { nodes } = report;
  return nodes.length > 1 && report.used !== undefined ? [...nodes, { ...report, node: 'all' }] : nodes;
}

async function watchMemory(call: Call, session: Session, interval: number): Promise<number> {
  const { terminal, signal } = call;
  for await (const sample of session.inspector.watchMemory(interval, { signal })) {
    if (call.json) terminal.writeJson({ connection: call.connection, ...sample });
    else terminal.write(sampleText(sample));
  }
  return signal.aborted ? EXIT.stopped : EXIT.done;
}

function sampleText({ at, memory: report, change, perMinute, untilLimit }: MemorySample): string {
  const { used, limit, ratio } = report;
  const parts = [
    at.toISOString().slice(11, 19),
    `${sizeText(used)}${limit === undefined || ratio === undefined ? '' : ` of ${sizeText(limit)} (${percent(ratio)})`}`,
    change === undefined ? '' : signed(change),
    perMinute === undefined ? '' : `${signed(perMinute)} a minute`,
    untilLimit === undefined ? '' : `full in ${durationText(untilLimit)}`,
    report.omitted.length > 0 ? 'some nodes left out' : '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function signed(size: number): string {
  return size > 0 ? `+${sizeText(size)}` : sizeText(size);
}
