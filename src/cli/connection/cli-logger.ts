import type { LoggerService } from '@nestjs/common';
import type { Terminal } from '../output/terminal.js';

/** Of what is logged, what a user of the command has to know: errors, and warnings of what it works with. Connections are told of anyway. */
export class CliLogger implements LoggerService {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  log(): void {}

  warn(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'RedisModule') this.#terminal.tell(String(message));
  }

  error(message: unknown): void {
    this.#terminal.tell(String(message));
  }
}
