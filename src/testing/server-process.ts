import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, type ServerHome } from './server-home.js';

const startTimeout = 15_000;
const gracefulTimeout = 2_000;
const pollInterval = 4;
const keptLines = 50;

/** A server did not start. The message ends with the last lines that the server wrote. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';

  /** @param logs The last lines that the server wrote. */
  constructor(
    message: string,
    readonly logs: string[],
    options?: ErrorOptions,
  ) {
    super([message, ...logs].join('\n  '), options);
  }

  /** Whether another process had taken the port: the start is then worth another try on another one. */
  get portTaken(): boolean {
    return this.logs.some((line) => /address already in use/i.test(line));
  }
}

/** A paused server has its process and its connections, but does nothing. */
export type ServerState = 'running' | 'paused' | 'ended';

export interface ServerProcessOptions {
  binary: string;
  arguments: string[];
  home: ServerHome;
  /** Called again and again until it resolves: rejects as long as the server does not serve, and at once on abortion. */
  probe: (signal: AbortSignal) => Promise<void>;
}

/** A server as a child process: starting, ending, and the faults that signals can make. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  readonly #logFile: string;
  #child: ChildProcess | undefined;
  #paused = false;
  #keptLogs: string[] | undefined;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.#logFile = join(options.home.directory, 'server.log');
  }

  /** Number of the process; `undefined` when it does not run. */
  get pid(): number | undefined {
    return this.#child && isRunning(this.#child) ? this.#child.pid : undefined;
  }

  get state(): ServerState {
    if (this.pid === undefined) return 'ended';
    return this.#paused ? 'paused' : 'running';
  }

  /** Starts the server, and waits until it serves. */
  async start(): Promise<void> {
    if (this.#keptLogs) throw new Error('The server was stopped for good: its directory is removed');
    if (this.pid !== undefined) throw new Error('The server runs already');
    const child = this.#spawn();
    const ended = new AbortController();
    child.once('exit', () => ended.abort());
    child.once('error', () => ended.abort());
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(startTimeout)]);
    let cause: unknown;
    while (!signal.aborted) {
      try {
        return await this.#options.probe(signal);
      } catch (error) {
        cause = error;
      }
      await sleep(pollInterval);
    }
    const outcome = outcomeOf(child);
    await this.kill();
    throw new ServerStartError(`${basename(this.#options.binary)} ${outcome}:`, this.logs(), { cause });
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#child) await endProcess(this.#child);
  }

  /** SIGSTOP: connections stay open, and nothing is answered. */
  pause(): void {
    this.#signal('SIGSTOP');
    this.#paused = true;
  }

  /** SIGCONT. */
  resume(): void {
    this.#signal('SIGCONT');
    this.#paused = false;
  }

  /** Ends the server as an operator would, so that it saves what it is configured to save, and starts it again. */
  async restart(): Promise<void> {
    await this.#shutDown();
    await this.start();
  }

  /** Ends the server and removes its directory. */
  async stop(): Promise<void> {
    await this.kill();
    this.#keptLogs ??= this.logs();
    await this.#options.home.remove();
  }

  /** The last lines that the server wrote, also after it has ended. */
  logs(): string[] {
    if (this.#keptLogs) return this.#keptLogs;
    if (!existsSync(this.#logFile)) return [];
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-keptLines);
  }

  #spawn(): ChildProcess {
    const { binary, home } = this.#options;
    // A file rather than a pipe: nobody has to read it for the server to go on, and it is complete when the process ends.
    const log = openSync(this.#logFile, 'a', 0o600);
    const child = spawn(binary, this.#options.arguments, {
      cwd: home.directory,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    home.watch(child.pid);
    child.once('exit', () => home.watch(undefined));
    child.on('error', () => {});
    child.unref();
    this.#child = child;
    this.#paused = false;
    return child;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined) throw new Error(`The server does not run: ${signal} has no receiver`);
    this.#child?.kill(signal);
  }

  async #shutDown(): Promise<void> {
    const child = this.#child;
    if (!child || !isRunning(child)) return;
    if (!this.#paused) {
      child.kill('SIGTERM');
      const deadline = performance.now() + gracefulTimeout;
      while (isRunning(child) && performance.now() < deadline) await sleep(pollInterval);
    }
    await endProcess(child);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function outcomeOf(child: ChildProcess): string {
  if (isRunning(child)) return `did not serve within ${startTimeout} ms`;
  if (child.pid === undefined) return 'could not be run';
  return `ended while starting (${child.signalCode ?? `exit code ${child.exitCode}`})`;
}
