import type { Measured } from './rounds.js';
import { median, medianRatio, rounded } from './statistics.js';

export interface Goal {
  readonly text: string;
  readonly value: number;
  readonly met: boolean;
}

/** What each contender reached: how many times a second, or figures of its own kind, by the names of their columns. */
export type Table = RateTable | FigureTable;

interface Headed {
  readonly title: string;
  readonly goals: readonly Goal[];
  readonly notes?: readonly string[];
}

export interface RateTable extends Headed {
  readonly measured: readonly Measured[];
}

export interface FigureTable extends Headed {
  readonly figures: ReadonlyMap<string, Readonly<Record<string, number | string>>>;
}

export function atLeast(text: string, value: number, least: number): Goal {
  return { text: `${text}: at least ${least}`, value, met: value >= least };
}

export function atMost(text: string, value: number, most: number): Goal {
  return { text: `${text}: at most ${most}`, value, met: value <= most };
}

/** How many times as fast as the other one it is. */
export function timesAsFast(
  measured: readonly Measured[],
  other: string,
  least: number,
  subject = 'rednest',
): Goal {
  const value = ratioOf(measured, subject, other);
  return { text: `${subject}: at least ${least} times as fast as ${other}`, value, met: value >= least };
}

/** Which part of the time of the other one it takes. */
export function timeBeside(
  measured: readonly Measured[],
  other: string,
  most: number,
  subject = 'rednest',
): Goal {
  const value = 1 / ratioOf(measured, subject, other);
  return { text: `${subject}: at most ${most} of the time of ${other}`, value, met: value <= most };
}

export function microsecondsEach(measured: readonly Measured[], most: number, subject = 'rednest'): Goal {
  const value = 1_000_000 / median(ratesOf(measured, subject));
  return { text: `${subject}: at most ${most} µs`, value, met: value <= most };
}

function ratioOf(measured: readonly Measured[], subject: string, other: string): number {
  return medianRatio(ratesOf(measured, subject), ratesOf(measured, other));
}

function ratesOf(measured: readonly Measured[], name: string): readonly number[] {
  return measured.find((one) => one.name === name)?.rates ?? [];
}

export function print(table: Table): void {
  console.log(`\n${table.title}`);
  console.table('figures' in table ? Object.fromEntries(table.figures) : rateRows(table.measured));
  for (const note of table.notes ?? []) console.log(`  ${note}`);
  for (const goal of table.goals) console.log(lineOf(goal));
}

/** The first one measured is what the others are compared with. */
function rateRows(measured: readonly Measured[]): Record<string, Record<string, number>> {
  const [subject] = measured;
  if (!subject) return {};
  return Object.fromEntries(
    measured.map(({ name, rates }) => [
      name,
      {
        'a second': Math.round(median(rates)),
        'µs each': rounded(1_000_000 / median(rates)),
        [`${subject.name} is so many times as fast`]: rounded(medianRatio(subject.rates, rates)),
      },
    ]),
  );
}

export function lineOf({ text, value, met }: Goal): string {
  return `  ${met ? 'met   ' : 'MISSED'} ${text}: ${rounded(value)}`;
}
