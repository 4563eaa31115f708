import type { FigureTable } from '../support/report.js';
import { median, medianRatio, quantile, rounded } from '../support/statistics.js';
import type { Entrant } from './entrants.js';
import type { Turn } from './turn.js';

type Figures = FigureTable['figures'];

/** The first one is what the others are compared with. */
export function ratesOf(entrants: readonly Entrant[]): Figures {
  const [first] = entrants;
  return new Map(
    entrants.map((entrant) => [
      entrant.title,
      {
        'a second': Math.round(medianOf(entrant, 'rate')),
        [`${first!.title} is so many times as fast`]: rounded(medianRatio(rates(first!), rates(entrant))),
        'handling, µs': rounded(medianOf(entrant, 'consumer')),
        'publishing, µs': rounded(medianOf(entrant, 'publisher')),
        'Redis, µs': rounded(medianOf(entrant, 'server')),
      },
    ]),
  );
}

/** Of all rounds together. */
export function delaysOf(entrants: readonly Entrant[]): Figures {
  return new Map(
    entrants.map((entrant) => {
      const delays = entrant.turns.flatMap((turn) => turn.delays);
      return [
        entrant.title,
        {
          'p50, ms': rounded(quantile(delays, 0.5) / 1_000),
          'p99, ms': rounded(quantile(delays, 0.99) / 1_000),
          messages: delays.length,
          'handling, µs': rounded(medianOf(entrant, 'consumer')),
          'publishing, µs': rounded(medianOf(entrant, 'publisher')),
          'Redis, µs': rounded(medianOf(entrant, 'server')),
        },
      ];
    }),
  );
}

export const processorNote =
  'Processor time is for a message: of the process with the handlers, the one that publishes, and Redis.';

function medianOf({ turns }: Entrant, figure: Exclude<keyof Turn, 'delays'>): number {
  return median(turns.map((turn) => turn[figure]));
}

function rates({ turns }: Entrant): number[] {
  return turns.map(({ rate }) => rate);
}
