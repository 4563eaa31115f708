import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const LOADER = fileURLToPath(new URL('../redis/fixtures/typescript.mjs', import.meta.url));

/** A TypeScript file that runs in a process of its own, and what it sends (`process.send`). Where a promise is rejected unhandled, it ends. */
export class ChildScript<ToChild, FromChild> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #output = '';

  constructor(script: URL, onMessage: (message: FromChild) => void) {
    const parameters = ['--unhandled-rejections=strict', '--import', LOADER, fileURLToPath(script)];
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' };
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
    this.#child = spawn(process.execPath, parameters, { env, stdio: [...stdio], serialization: 'advanced' });
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

  /** Nobody is there where it was killed. */
  send(message: ToChild & object): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has ended. */
  end(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
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
