/** A column of a table. */
export interface Column<Row> {
  readonly head: string;
  readonly text: (row: Row) => string;
  /** Numbers stand to the right. @default 'left' */
  readonly align?: 'left' | 'right';
}

/** Rows as lines: each column is as wide as what is widest in it. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ text }) => text(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  return cells.map((line) => {
    const padded = line.map((cell, index) => {
      const width = widths[index]!;
      return columns[index]!.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return padded.join('  ').trimEnd();
  });
}
