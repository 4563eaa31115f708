import { END, type Page } from './key-walk.js';

/** How far a walk through all keys is. It never falls. */
export class WalkProgress {
  readonly #areCursorsPositions: boolean;
  #total = 0;
  #done = 0;

  /** @param topology of the connection: cursors of a Cluster may begin with the slot, and do not tell how far a server is */
  constructor(topology: 'standalone' | 'sentinel' | 'cluster') {
    this.#areCursorsPositions = topology !== 'cluster';
  }

  /** Keys that were looked at, about. */
  get done(): number {
    return this.#done;
  }

  get total(): number {
    return this.#total;
  }

  /** @param total how many keys the servers have */
  begin(total: number): void {
    this.#total = total;
  }

  passed({ next, size }: Page): void {
    const done = this.#areCursorsPositions
      ? Math.floor(this.#total * (next === END ? 1 : positionOf(next)))
      : this.#done + size;
    this.#done = Math.max(this.#done, Math.min(done, this.#total));
  }

  end(): void {
    this.#done = this.#total;
  }
}

/** Which part of a server's keys lies before a cursor: SCAN counts from the highest bit of the hash table's index down. */
export function positionOf(cursor: string): number {
  let position = 0;
  let weight = 0.5;
  for (let rest = BigInt(cursor); rest > 0n; rest >>= 1n, weight /= 2) if (rest & 1n) position += weight;
  return position;
}
