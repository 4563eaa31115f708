/** How much is read or written with one command, in bytes: beyond that, commands of their own do not hold up others for as long. */
export const COMMAND_BYTES = 1_024 * 1_024;

/** After how many values those that were seen before count for next to nothing. */
const MEMORY = 100;

/** Learns how large values are, of which nothing is known before they are read: a moving average. */
export class ValueSize {
  #average = 0;
  #perCommand = Infinity;

  /** Of a value, in bytes. */
  get average(): number {
    return this.#average;
  }

  /** How many values fit into one command. */
  get perCommand(): number {
    return this.#perCommand;
  }

  /** @param bytes of so many values together */
  learn(bytes: number, values: number): void {
    this.#average += (bytes / values - this.#average) * Math.min(1, values / MEMORY);
    this.#perCommand = Math.max(1, Math.floor(COMMAND_BYTES / this.#average));
  }
}
