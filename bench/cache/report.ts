import type { Measured } from '../support/rounds.js';
import { median, medianRatio, rounded } from '../support/statistics.js';

export interface Goal {
  readonly text: string;
  readonly value: number;
  readonly met: boolean;
}

export interface Table {
  readonly title: string;
  readonly measured: readonly Measured[];
  readonly goals: readonly Goal[];
  readonly notes?: readonly string[];
}

/** How many times as fast as the other one it is. */
export function timesAsFast(
  measured: readonly Measured[],
  other: string,
  atLeast: number,
  subject = 'rednest',
): Goal {
  const value = ratioOf(measured, subject, other);
  return { text: `${subject}: at least ${atLeast} times as fast as ${other}`, value, met: value >= atLeast };
}

/** Which part of the time of the other one it takes. */
export function timeBeside(
  measured: readonly Measured[],
  other: string,
  atMost: number,
  subject = 'rednest',
): Goal {
  const value = 1 / ratioOf(measured, subject, other);
  return { text: `${subject}: at most ${atMost} of the time of ${other}`, value, met: value <= atMost };
}

export function microsecondsEach(measured: readonly Measured[], atMost: number, subject = 'rednest'): Goal {
  const value = 1_000_000 / median(ratesOf(measured, subject));
  return { text: `${subject}: at most ${atMost} µs`, value, met: value <= atMost };
}

function ratioOf(measured: readonly Measured[], subject: string, other: string): number {
  return medianRatio(ratesOf(measured, subject), ratesOf(measured, other));
}

function ratesOf(measured: readonly Measured[], name: string): readonly number[] {
  return measured.find((one) => one.name === name)?.rates ?? [];
}

/** The first one measured is what the others are compared with. */
export function print({ title, measured, goals, notes = [] }: Table): void {
  const [subject] = measured;
  if (!subject) return;
  console.log(`\n${title}`);
  console.table(
    Object.fromEntries(
      measured.map(({ name, rates }) => [
        name,
        {
          'a second': Math.round(median(rates)),
          'µs each': rounded(1_000_000 / median(rates)),
          [`${subject.name} is so many times as fast`]: rounded(medianRatio(subject.rates, rates)),
        },
      ]),
    ),
  );
  for (const note of notes) console.log(`  ${note}`);
  for (const goal of goals) console.log(lineOf(goal));
}

export function lineOf({ text, value, met }: Goal): string {
  return `  ${met ? 'met   ' : 'MISSED'} ${text}: ${rounded(value)}`;
}
