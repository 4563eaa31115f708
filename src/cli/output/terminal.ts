import { styleText } from 'node:util';

/** What a command writes to: a stream of the process, or what a test reads. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

type Style = Parameters<typeof styleText>[0];

/** Lines are not wrapped wider than this, where they are read on a screen. */
const WIDEST = 110;

/** Where results go, and where messages and progress go: so that the results can be piped on. */
export class Terminal {
  readonly errors: Output;
  readonly #results: Output;
  readonly #isPlain: boolean;

  /** @param environment decides on colours: see https://no-color.org */
  constructor(results: Output, errors: Output, environment: NodeJS.ProcessEnv = process.env) {
    this.#results = results;
    this.errors = errors;
    this.#isPlain = Boolean(environment.NO_COLOR);
  }

  /** How wide lines may be; undefined where nobody reads them on a screen. */
  get width(): number | undefined {
    if (!this.#results.isTTY) return undefined;
    // A terminal that does not know how wide it is says 0.
    return Math.min(this.#results.columns || WIDEST, WIDEST);
  }

  /** Whether bars can be drawn. */
  get hasProgress(): boolean {
    return this.errors.isTTY === true && !this.#isPlain;
  }

  /** A line of the result. */
  write(line = ''): void {
    this.#results.write(`${line}\n`);
  }

  /** A message: not part of the result. */
  tell(line: string): void {
    this.errors.write(`${line}\n`);
  }

  /** The result as one line of JSON. */
  writeJson(value: unknown): void {
    this.write(JSON.stringify(value, asJson));
  }

  /** Colours text of a result, where it is read on a screen. */
  style(style: Style, text: string): string {
    if (this.#isPlain || !this.#results.isTTY) return text;
    // Whether there are to be colours has been decided: by the streams, which need not be those of the process.
    return styleText(style, text, { validateStream: false });
  }
}

/** Of an error, what is told of it: neither its stack nor what the driver had in its hands. */
function asJson(_name: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { code } = value as { code?: unknown };
  return { ...(code !== undefined && { code }), message: value.message };
}
