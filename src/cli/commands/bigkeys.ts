import type {
  BigKey,
  BigKeysOptions,
  BigKeysReport,
  ScanReport,
  StaleKeysReport,
} from '../../diagnostics/index.js';
import type { Call } from '../call.js';
import { Session } from '../connection/session.js';
import { EXIT } from '../exit-codes.js';
import { Progress } from '../output/progress.js';
import { table, type Column } from '../output/table.js';
import { counted, countText, durationText, printable, sizeText } from '../output/text.js';
import { tellOmissions } from './omissions.js';

export interface BigkeysOptions extends Pick<BigKeysOptions, 'match' | 'by' | 'limit'> {
  readonly top: number;
  /** Milliseconds: keys that were not used for so long, instead of big ones. */
  readonly stale?: number | undefined;
}

/** Walks all keys and prints the biggest, or those that nobody has used for long. */
export async function bigkeys(call: Call, { stale, ...options }: BigkeysOptions): Promise<number> {
  await using session = await Session.open(call);
  const { by, match, limit, top } = options;
  const progress = new Progress(call.terminal);
  const walk = {
    top,
    ...(match !== undefined && { match }),
    ...(limit !== undefined && { limit }),
    signal: call.signal,
    onProgress: (step: { done: number; total: number }) =>
      progress.show({ title: 'Looking at keys', ...step }),
  };
  let report: BigKeysReport | StaleKeysReport;
  try {
    report =
      stale === undefined
        ? await session.inspector.bigKeys({ ...walk, ...(by !== undefined && { by }) })
        : await session.inspector.staleKeys({ ...walk, idleFor: stale });
  } finally {
    progress.stop();
  }
  print(call, report, session.connection.topology === 'cluster');
  return exitCodeOf(call, report, limit);
}

function exitCodeOf({ signal }: Call, report: ScanReport, limit: number | undefined): number {
  if (signal.aborted && !report.complete) return EXIT.stopped;
  // Who asks for some keys only has got what was asked for.
  const isAsAsked = report.complete || (limit !== undefined && report.scanned >= limit);
  return isAsAsked && report.omitted.length === 0 ? EXIT.done : EXIT.failed;
}

function print(call: Call, report: BigKeysReport | StaleKeysReport, hasNodes: boolean): void {
  const { terminal } = call;
  if (call.json) return terminal.writeJson({ connection: call.connection, ...report });
  const lines =
    'stale' in report ? staleLines(report, hasNodes) : [...bigLines(report, hasNodes), ...typeLines(report)];
  for (const line of lines) terminal.write(line);
  if (!report.complete) {
    const reason = report.failure ? ` It was broken off: ${printable(report.failure.message)}` : '';
    terminal.tell(`Not all keys were looked at, but ${counted(report.scanned, 'key')}.${reason}`);
  }
  if ('stale' in report)
    for (const warning of report.warnings) terminal.tell(`Not sure: ${printable(warning)}`);
  tellOmissions(terminal, report.omitted);
}

const amount = (value: number | undefined, show: (value: number) => string) =>
  value === undefined ? '' : show(value);

function bigLines({ keys }: BigKeysReport, hasNodes: boolean): string[] {
  if (keys.length === 0) return [];
  const columns: Column<BigKey>[] = [
    ...sizeColumns(keys),
    { head: 'Type', text: ({ type = '' }) => printable(type) },
    ...(hasNodes ? [{ head: 'Node', text: ({ node }: BigKey) => node }] : []),
    { head: 'Key', text: ({ key }) => printable(key) },
  ];
  return table(columns, keys);
}

interface Amounts {
  readonly bytes?: number | undefined;
  readonly elements?: number | undefined;
}

/** Only what was measured has a column. */
function sizeColumns<Row extends Amounts>(rows: readonly Row[]): Column<Row>[] {
  const size: Column<Row> = { head: 'Size', text: ({ bytes }) => amount(bytes, sizeText), align: 'right' };
  const elements: Column<Row> = {
    head: 'Elements',
    text: (row) => amount(row.elements, countText),
    align: 'right',
  };
  return [
    ...(rows.some(({ bytes }) => bytes !== undefined) ? [size] : []),
    ...(rows.some((row) => row.elements !== undefined) ? [elements] : []),
  ];
}

function typeLines({ byType, scanned }: BigKeysReport): string[] {
  const rows = Object.entries(byType).map(([type, totals]) => ({ type, ...totals }));
  if (rows.length === 0) return [`${counted(scanned, 'key')} looked at.`];
  const columns: Column<(typeof rows)[number]>[] = [
    { head: 'Type', text: ({ type }) => printable(type) },
    { head: 'Keys', text: ({ keys }) => countText(keys), align: 'right' },
    ...sizeColumns(rows),
  ];
  return ['', ...table(columns, rows), '', `${counted(scanned, 'key')} looked at.`];
}

function staleLines({ keys, stale, unknown, scanned }: StaleKeysReport, hasNodes: boolean): string[] {
  const columns: Column<StaleKeysReport['keys'][number]>[] = [
    { head: 'Idle', text: ({ idle }) => durationText(idle), align: 'right' },
    ...(hasNodes ? [{ head: 'Node', text: ({ node }: { node: string }) => node }] : []),
    { head: 'Key', text: ({ key }) => printable(key) },
  ];
  // Their value is a number that the server has once for all keys.
  const left = unknown === 0 ? '' : `; ${counted(unknown, 'key')} of unknown idle time`;
  const total = `${counted(stale, 'stale key')}${left}; ${counted(scanned, 'key')} looked at.`;
  return keys.length === 0 ? [total] : [...table(columns, keys), '', total];
}
