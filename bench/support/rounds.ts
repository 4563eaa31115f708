/**
 * Contenders take turns, round by round and each round in another order, so that what else the machine does hits them
 * alike. The first round warms up and is not counted.
 */
export interface Contender {
  readonly name: string;
  /** Does this many operations. */
  run(operations: number): Promise<unknown>;
}

export interface Measured {
  readonly name: string;
  /** Operations a second, in the order of the rounds. */
  readonly rates: readonly number[];
}

export interface Schedule {
  readonly rounds: number;
  /** About how long one turn takes. */
  readonly milliseconds: number;
}

/** With as many operations in a turn as each contender does in about the time that the schedule gives. */
export async function compare(contenders: readonly Contender[], schedule: Schedule): Promise<Measured[]> {
  const sized = [];
  for (const contender of contenders) {
    const operations = await operationsWithin(contender, schedule.milliseconds);
    sized.push({ name: contender.name, measure: () => rateOf(contender, operations) });
  }
  return takeTurns(sized, schedule.rounds);
}

/** For what has to measure by itself: `measure` returns operations a second. */
export async function takeTurns(
  contenders: readonly { readonly name: string; measure(): Promise<number> }[],
  rounds: number,
): Promise<Measured[]> {
  const measured = contenders.map((contender) => ({ contender, rates: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < measured.length; turn++) {
      const next = measured[(round + turn) % measured.length];
      if (!next) continue;
      const rate = await next.contender.measure();
      if (round > 0) next.rates.push(rate);
    }
  }
  return measured.map(({ contender, rates }) => ({ name: contender.name, rates }));
}

/** Operations a second. */
async function rateOf(contender: Contender, operations: number): Promise<number> {
  const begin = performance.now();
  await contender.run(operations);
  return (operations * 1_000) / (performance.now() - begin);
}

async function operationsWithin(contender: Contender, milliseconds: number): Promise<number> {
  let operations = 1;
  for (;;) {
    const rate = await rateOf(contender, operations);
    const wanted = Math.max(1, Math.round((rate * milliseconds) / 1_000));
    if (wanted < operations * 2) return wanted;
    operations = Math.min(wanted, operations * 8);
  }
}
