import { atLeast, atMost, type Goal } from '../../support/report.js';
import { medianRatio } from '../../support/statistics.js';
import type { SubjectName } from '../subjects/index.js';
import type { Entrant, Figures } from './figures.js';

const ownName: SubjectName = 'rednest';

type Figure = 'p50' | 'p99' | 'longestWait' | 'processor';

/** Ahead of each peer at its best, whichever that is for a figure. */
export function goalsOf(all: readonly Figures[], entrants: readonly Entrant[], size: number): Goal[] {
  const own = all.find(({ name }) => name === ownName)!;
  const peers = all.filter((each) => each !== own);
  const fastest = least(peers, ({ rate }) => -rate);
  const defaults = peers.filter(({ name }) => !name.endsWith('-often'));
  const goals = [
    atLeast(`grants a second beside ${fastest.title}`, rateBeside(entrants, fastest.name), 1),
    beside(own, peers, 'p50', 'hand-over p50'),
    beside(own, peers, 'p99', 'hand-over p99'),
    beside(own, peers, 'longestWait', 'longest wait'),
    beside(own, defaults, 'processor', 'time of Redis for a grant', ' at its defaults'),
    atMost('overlaps', own.overlaps, 0),
  ];
  // A few rarely meet: then nobody polls, and the mean wait is of those who did not have to.
  if (size < 10) return goals;
  const share = own.processor / fastest.processor;
  return [
    ...goals,
    atMost(`time of Redis for a grant beside ${fastest.title}, the fastest`, share, 0.5),
    atMost('longest wait beside the mean', own.longestWait / own.meanWait, 2),
  ];
}

function beside(own: Figures, peers: readonly Figures[], figure: Figure, text: string, how = ''): Goal {
  const best = least(peers, (each) => each[figure]);
  return atMost(`${text} beside ${best.title}${how}`, own[figure] / best[figure], 1);
}

function rateBeside(entrants: readonly Entrant[], peer: SubjectName): number {
  const rates = (wanted: SubjectName) =>
    entrants.find(({ name }) => name === wanted)!.turns.map(({ rate }) => rate);
  return medianRatio(rates(ownName), rates(peer));
}

function least(all: readonly Figures[], by: (figures: Figures) => number): Figures {
  return all.reduce((best, each) => (by(each) < by(best) ? each : best));
}
