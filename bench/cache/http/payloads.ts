import { cityOf } from '../values.js';

export const sizes = { '1k': 1_000, '100k': 100_000 } as const;

export type Size = keyof typeof sizes;

/** A list of rows whose JSON has about so many bytes. */
export function payloadOf(size: Size): object {
  const rows: unknown[] = [];
  for (let bytes = 2; bytes < sizes[size];) {
    const row = cityOf(rows.length);
    rows.push(row);
    bytes += JSON.stringify(row).length + 1;
  }
  return rows;
}
