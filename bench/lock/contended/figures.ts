import { median, quantile, rounded } from '../../support/statistics.js';
import type { SubjectName } from '../subjects/index.js';
import type { Timeline } from './timeline.js';

export interface Turn extends Timeline {
  /** Grants a second. */
  readonly rate: number;
  /** What the server took, in microseconds. */
  readonly processor: number;
}

/** A subject, and what was seen of it. */
export interface Entrant {
  readonly name: SubjectName;
  readonly turns: Turn[];
  /** That clients sent, for each grant. */
  commands: number;
}

/** Of all turns together; times in milliseconds. */
export interface Figures {
  readonly name: SubjectName;
  readonly title: string;
  readonly rate: number;
  readonly handOvers: number;
  readonly p50: number;
  readonly p99: number;
  readonly overlaps: number;
  readonly longestWait: number;
  readonly meanWait: number;
  /** What the server took for a grant, in microseconds. */
  readonly processor: number;
  readonly commands: number;
}

const titles: Partial<Record<SubjectName, string>> = {
  'redlock-often': 'redlock, 10 ms',
  sesamecare: '@sesamecare-oss/redlock',
  'sesamecare-often': '@sesamecare-oss/redlock, 10 ms',
  'redis-semaphore-often': 'redis-semaphore, 3 ms',
  'redlock-universal-often': 'redlock-universal, 10 ms',
};

export function figuresOf({ name, turns, commands }: Entrant): Figures {
  const handOvers = turns.flatMap((turn) => turn.handOvers);
  const waits = turns.flatMap((turn) => turn.waits);
  return {
    name,
    title: titles[name] ?? name,
    rate: median(turns.map(({ rate }) => rate)),
    handOvers: handOvers.length,
    p50: quantile(handOvers, 0.5),
    p99: quantile(handOvers, 0.99),
    overlaps: sum(turns.map(({ overlaps }) => overlaps)),
    longestWait: waits.reduce((longest, wait) => Math.max(longest, wait), 0),
    meanWait: sum(waits) / waits.length,
    processor: sum(turns.map(({ processor }) => processor)) / sum(turns.map(({ grants }) => grants)),
    commands,
  };
}

export function rowOf(figures: Figures): Record<string, number> {
  return {
    'grants/s': Math.round(figures.rate),
    'hand-over p50': rounded(figures.p50),
    p99: rounded(figures.p99),
    'of so many': figures.handOvers,
    overlaps: figures.overlaps,
    'longest wait': rounded(figures.longestWait),
    'to the mean': rounded(figures.longestWait / figures.meanWait),
    'Redis, µs a grant': rounded(figures.processor),
    'commands a grant': rounded(figures.commands),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
