import type { Contender, Measured } from '../support/rounds.js';
import { median, medianRatio, rounded } from '../support/statistics.js';

/** A contender that also notes the processor time of this process for each turn. */
export class TimedContender implements Contender {
  readonly name: string;
  readonly #contender: Contender;
  readonly #turns: number[] = [];

  constructor(contender: Contender) {
    this.name = contender.name;
    this.#contender = contender;
  }

  async run(operations: number): Promise<void> {
    const before = process.cpuUsage();
    await this.#contender.run(operations);
    const { user, system } = process.cpuUsage(before);
    this.#turns.push((user + system) / operations);
  }

  /** Microseconds for each operation, of the turns that were counted. */
  processorTimes(rounds: number): number[] {
    return this.#turns.slice(-rounds);
  }
}

/** As `compare` gives the rates by the clock, those by the processor: what else the machine does is not in them. */
export function byProcessor(
  contenders: readonly TimedContender[],
  measured: readonly Measured[],
): Measured[] {
  return measured.map(({ name, rates }, position) => ({
    name,
    rates: contenders[position]!.processorTimes(rates.length).map((each) => 1_000_000 / each),
  }));
}

export type Figures = Map<string, Record<string, number>>;

/** Rows of a table: the first one measured is what the others are compared with. */
export function figuresOf(contenders: readonly TimedContender[], measured: readonly Measured[]): Figures {
  const first = measured[0]!;
  const processorOf = (position: number) =>
    contenders[position]!.processorTimes(measured[position]!.rates.length);
  const rows = measured.map(({ name, rates }, position): [string, Record<string, number>] => {
    const processor = processorOf(position);
    return [
      name,
      {
        'a second': Math.round(median(rates)),
        'µs each': rounded(1_000_000 / median(rates)),
        'µs of processor': rounded(median(processor)),
        [`time of ${first.name} to its`]: rounded(medianRatio(rates, first.rates)),
        [`processor of ${first.name} to its`]: rounded(medianRatio(processorOf(0), processor)),
      },
    ];
  });
  return new Map(rows);
}
