import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const LOADER = fileURLToPath(new URL('../redis/fixtures/typescript.mjs', import.meta.url));

/** How a process has ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface ChildOptions {
  /** Modules that are loaded before it. */
  readonly imports?: readonly URL[];
  readonly parameters?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A TypeScript file that runs in a process of its own, and what it sends (`process.send`). Where a promise is rejected unhandled, it ends. */
export class ChildScript<ToChild, FromChild> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #output = '';

  constructor(script: URL, onMessage: (message: FromChild) => void, options: ChildOptions = {}) {
    const imports = [LOADER, ...(options.imports ?? []).map((each) => fileURLToPath(each))];
    const parameters = imports.flatMap((each) => ['--import', each]);
    this.#child = spawn(
      process.execPath,
      ['--unhandled-rejections=strict', ...parameters, fileURLToPath(script), ...(options.parameters ?? [])],
      {
        env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...options.env },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        serialization: 'advanced',
      },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    // What it told of last may be read after its end.
    const ends = Promise.all([once(this.#child, 'close'), once(this.#child, 'disconnect')]);
    this.#ended = ends.then(([[code, signal]]) => ({ code, signal }));
    this.#child.on('message', onMessage);
  }

  /** All that it wrote. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** @returns whether it can be told of anything: nobody is there where it was killed */
  send(message: ToChild & (object | string)): boolean {
    if (!this.#child.connected) return false;
    this.#child.send(message, () => undefined);
    return true;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has ended. */
  end(): Promise<Ended> {
    return this.#ended;
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
