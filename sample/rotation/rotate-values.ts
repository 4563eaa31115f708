import type { EncryptedStore, KeyUsageReport, RotationReport } from 'rednest';
import { keyTable } from './key-table.js';
import { RotationProgressView } from './rotation-progress.js';

/** How the command ends. */
export const EXIT = {
  /** All is under the primary key. */
  done: 0,
  /** Something is not: it was altered, its key is not there, or Redis was away. */
  failed: 1,
  /** As shells say that Ctrl-C has ended it. */
  stopped: 130,
} as const;

export interface RotateValuesOptions {
  /** Where a rotation that was stopped goes on. */
  resume?: string | undefined;
  /** Stops it, when it is aborted. */
  signal: AbortSignal;
  /** Takes a line of what is told. */
  write: (line: string) => void;
}

/**
 * Encrypts anew what is under other keys, and tells of it.
 *
 * @returns the exit code
 * @throws RedisError, EncryptionError
 */
export async function rotateValues(store: EncryptedStore, options: RotateValuesOptions): Promise<number> {
  const { resume, signal, write } = options;
  const view = new RotationProgressView(write);
  let report: RotationReport;
  try {
    report = await store.rotate({
      resume,
      signal,
      onProgress: (progress) => view.show(progress),
    });
  } finally {
    view.stop();
  }
  for (const line of tell(report)) write(line);
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
      `${counted(refused, 'could not be: it was altered, or is', 'could not be: they were altered, or are')} under a key that is not there.`,
    );
  if (indexEntriesLeft > 0)
    lines.push(`${counted(indexEntriesLeft, 'entry of an index', 'entries of indexes')} had to stay.`);
  if (failure) lines.push(`It was broken off: ${failure.message}`);
  if (resume !== undefined)
    lines.push('Not all was looked at. To go on from there:', `  npm run rotate -- --resume '${resume}'`);
  if (usage) lines.push('', ...keyTable(usage), '', ...conclusions(usage));
  return lines;
}

function conclusions({ plaintext, removable }: KeyUsageReport): string[] {
  const lines: string[] = [];
  // Of a profile three fields: the holder, the month, and what tells where its index is.
  if (plaintext > 0)
    lines.push(
      `${counted(plaintext, 'value or field beside them is', 'values and fields beside them are')} not encrypted.`,
    );
  if (removable.length > 0)
    lines.push(
      `Nothing is under ${removable.join(', ')} any more. Where every replica writes with the primary key,`,
      'ENCRYPTION_DECRYPT_KEYS can do without.',
    );
  return lines;
}

function counted(count: number, one: string, more: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : more}`;
}
