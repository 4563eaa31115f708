import { redisUrl } from '../support/redis-url.js';
import { takeTurns, type Measured } from '../support/rounds.js';
import { Pair } from './processes/pair.js';
import { subjects, type SubjectName } from './subjects/index.js';
import type { Turn } from './turn.js';

/** A subject with its processes, and what was seen of it. */
export interface Entrant {
  readonly name: SubjectName;
  readonly title: string;
  readonly pair: Pair;
  /** First part of its keys. */
  readonly namespace: string;
  turns: Turn[];
}

/** Opens what the names stand for, and leaves nothing running. */
export async function withEntrants<T>(
  names: readonly SubjectName[],
  handlers: number,
  work: (entrants: readonly Entrant[]) => Promise<T>,
): Promise<T> {
  const entrants: Entrant[] = [];
  try {
    for (const name of names) {
      const namespace = `bench-${name}`;
      const pair = await Pair.open(name, { url: redisUrl(), namespace }, handlers);
      entrants.push({ name, title: subjects[name].title, pair, namespace, turns: [] });
    }
    return await work(entrants);
  } finally {
    await Promise.all(entrants.map(({ pair }) => pair.close()));
  }
}

/** As many messages as the subject manages within about so many milliseconds: a turn of each takes as long. */
export async function sizeOf(
  milliseconds: number,
  turn: (messages: number) => Promise<Turn>,
): Promise<number> {
  let messages = 500;
  for (;;) {
    const { rate } = await turn(messages);
    const wanted = Math.round((rate * milliseconds) / 1_000);
    if (wanted < messages * 2) return Math.max(wanted, 100);
    messages = Math.min(wanted, messages * 8);
  }
}

/** The first round warms up and is not counted. */
export async function compete(
  entrants: readonly Entrant[],
  rounds: number,
  turn: (entrant: Entrant) => Promise<Turn>,
): Promise<Measured[]> {
  const contenders = entrants.map((entrant) => ({
    name: entrant.title,
    measure: async () => {
      const seen = await turn(entrant);
      entrant.turns.push(seen);
      return seen.rate;
    },
  }));
  const measured = await takeTurns(contenders, rounds);
  for (const entrant of entrants) entrant.turns = entrant.turns.slice(1);
  return measured;
}
