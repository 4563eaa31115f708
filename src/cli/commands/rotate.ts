import {
  EncryptedStore,
  EncryptionModule,
  type KeyUsage,
  type KeyUsageReport,
  type RotationProgress,
  type RotationReport,
} from '../../encryption/index.js';
import type { Call } from '../call.js';
import { Session } from '../connection/session.js';
import { EXIT } from '../exit-codes.js';
import { Progress } from '../output/progress.js';
import { table, type Column } from '../output/table.js';
import { counted, countText, listText } from '../output/text.js';

export interface RotateOptions {
  readonly namespace?: string | undefined;
  readonly resume?: string | undefined;
}

const TITLES = {
  rotating: 'Encrypting anew',
  counting: 'Counting',
} as const satisfies Record<RotationProgress['phase'], string>;

/** Encrypts anew, under `ENCRYPTION_KEY`, what is under other keys, and tells what is under which. */
export async function rotate(call: Call, { namespace, resume }: RotateOptions): Promise<number> {
  const { connection, terminal, signal } = call;
  const encryption = EncryptionModule.forRoot({ connection, ...(namespace !== undefined && { namespace }) });
  await using session = await Session.open(call, [encryption]);
  const progress = new Progress(terminal);
  let report: RotationReport;
  try {
    report = await session.get(EncryptedStore).rotate({
      resume,
      signal,
      onProgress: ({ phase, done, total }) => progress.show({ title: TITLES[phase], done, total }),
    });
  } finally {
    progress.stop();
  }
  if (call.json) terminal.writeJson({ connection, ...report });
  else for (const line of tell(report)) terminal.write(line);
  return exitCodeOf(report);
}

function exitCodeOf({ completed, failure, usage, refused, indexEntriesLeft }: RotationReport): number {
  if (failure) return EXIT.failed;
  if (!completed || !usage) return EXIT.stopped;
  return refused + indexEntriesLeft > 0 ? EXIT.failed : EXIT.done;
}

function tell(report: RotationReport): string[] {
  const { reencrypted, reindexed, refused, indexEntriesLeft, resume, failure, usage } = report;
  const lines = [
    `${counted(reencrypted, 'value or field was', 'values and fields were')} encrypted anew, and ` +
      `${counted(reindexed, 'entry of an index was', 'entries of indexes were')} moved.`,
  ];
  if (refused > 0)
    lines.push(
      `${counted(refused, 'could not be', 'could not be')}: altered, under a key that is not there, or bound to a context.`,
    );
  if (indexEntriesLeft > 0)
    lines.push(
      `${counted(indexEntriesLeft, 'entry of an index', 'entries of indexes')} had to stay: only the application that has the classes of ` +
        'the records can move them (EncryptedStore.rotate).',
    );
  if (failure) lines.push(`It was broken off: ${failure.message}`);
  if (resume !== undefined)
    lines.push(`Not all was looked at. To go on from there, add --resume '${resume}'.`);
  if (usage) lines.push('', ...table(columns(usage), usage.keys), '', ...conclusions(usage));
  return lines;
}

function columns({ removable }: KeyUsageReport): Column<KeyUsage>[] {
  return [
    { head: 'Key', text: ({ keyId }) => keyId },
    { head: 'Role', text: ({ role }) => role },
    { head: 'Values', text: ({ values }) => countText(values), align: 'right' },
    { head: 'Fields', text: ({ fields }) => countText(fields), align: 'right' },
    { head: 'Index entries', text: ({ indexEntries }) => countText(indexEntries), align: 'right' },
    { head: 'Removable', text: ({ keyId }) => (removable.includes(keyId) ? 'yes' : '') },
  ];
}

function conclusions({ plaintext, removable }: KeyUsageReport): string[] {
  const lines: string[] = [];
  if (plaintext > 0)
    lines.push(
      `${counted(plaintext, 'value or field beside them is', 'values and fields beside them are')} not encrypted.`,
    );
  if (removable.length > 0)
    lines.push(
      `Nothing is under ${listText(removable)} any more: where every replica writes with the primary key, ENCRYPTION_DECRYPT_KEYS can do without.`,
    );
  return lines;
}
