import type { Terminal } from './output/terminal.js';

/** What every command is given. */
export interface Call {
  /** Name of the connection: which variables are read. */
  readonly connection: string;
  /** Milliseconds to wait for Redis at the start. */
  readonly timeout: number;
  /** Whether the result is JSON. */
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C: what was found until then is printed. */
  readonly signal: AbortSignal;
}

/** What follows from the options of a command, beside {@link Call}. */
export type Command<Options = object> = (call: Call, options: Options) => Promise<number>;
