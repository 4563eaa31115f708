import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Each line names the process to end, an empty one means none. The end of the input means that the test process is gone,
// however it went: the operating system closes its pipes even after SIGKILL. A server that dies can still be writing a file
// into the directory while it is removed, hence the second try.
const guardScript = `
pid=
while read -r line; do pid=$line; done
[ -n "$pid" ] && kill -9 "$pid"
rm -rf "$1" || { sleep 0.2; rm -rf "$1"; }
`;

/**
 * The temporary directory of a server, and a guard: a shell beside it that ends the server and removes the directory when
 * this process dies without having done so.
 */
export class ServerHome {
  readonly directory = mkdtempSync(join(tmpdir(), 'rednest-'));
  readonly #guard: ChildProcess;

  constructor() {
    // In a session of its own, so that Ctrl-C reaches this process only and the guard survives to do its work.
    this.#guard = spawn('sh', ['-c', guardScript, 'rednest-guard', this.directory], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.on('error', () => {});
    this.#guard.stdin?.on('error', () => {});
    this.#guard.unref();
    // A pipe is a socket to Node, and would keep the event loop alive.
    if (this.#guard.stdin instanceof Socket) this.#guard.stdin.unref();
  }

  /** The process that must not outlive this one; `undefined` when it has ended, as its number may soon be another's. */
  watch(pid: number | undefined): void {
    this.#guard.stdin?.write(`${pid ?? ''}\n`);
  }

  /** Writes a file that only this user can read, and tells its path. */
  async write(name: string, content: string): Promise<string> {
    const path = join(this.directory, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  /** Removes the directory and ends the guard, in this order, so that nothing stays if this process dies in between. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    await endProcess(this.#guard);
  }
}

/** Ends a child process with SIGKILL, which works on a paused one too, and waits until it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // Without it, Node may find nothing left to wait for, and exit before the promise is settled.
  child.ref();
  child.kill('SIGKILL');
  await gone;
}
