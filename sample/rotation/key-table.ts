import type { KeyUsageReport } from 'rednest';

const HEADS = ['Key', 'Role', 'Values', 'Fields', 'Index entries', 'Removable'] as const;

/** What is under which key, as lines of a table: numbers to the right. */
export function keyTable({ keys, removable }: KeyUsageReport): string[] {
  const rows = keys.map(({ keyId, role, values, fields, indexEntries }) => {
    const counts = [values, fields, indexEntries].map((count) => count.toLocaleString('en'));
    return [keyId, role, ...counts, removable.includes(keyId) ? 'yes' : ''];
  });
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]!.length)),
  );
  return [HEADS, ...rows].map((row) => {
    const cells = row.map((cell, column) => {
      const isNumber = column >= 2 && column <= 4;
      return isNumber ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
    });
    return cells.join('  ').trimEnd();
  });
}
