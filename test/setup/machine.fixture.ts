import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** Who runs the set-up: root is given everything without being asked. */
type User = 'root' | 'somebody';

interface Run {
  user?: User;
  environment?: Record<string, string>;
}

const lock = { packages: { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } } };

/**
 * A copy of the set-up with a PATH of its own, on which there is nothing but a shell and the programs given. They
 * are scripts that stand for what may be on somebody's machine; each notes its calls.
 */
export class Machine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rednest-setup-'));
  readonly #programs = join(this.#folder, 'bin');
  readonly #calls = join(this.#folder, 'calls');

  constructor() {
    mkdirSync(this.#programs);
    writeFileSync(this.#calls, '');
    symlinkSync('/bin/sh', join(this.#programs, 'sh'));
    mkdirSync(join(this.#folder, 'scripts'));
    cpSync(resolve('scripts/setup.mjs'), join(this.#folder, 'scripts/setup.mjs'));
    this.write('package.json', { engines: { node: '^20.19 || ^22.12 || >=24' } });
    this.write('package-lock.json', lock);
    mkdirSync(join(this.#folder, 'node_modules'));
    this.write('node_modules/.package-lock.json', lock);
  }

  write(path: string, content: object): void {
    writeFileSync(join(this.#folder, path), JSON.stringify(content));
  }

  remove(path: string): void {
    rmSync(join(this.#folder, path));
  }

  /** `PROGRAMS` in the commands is where the programs are, for one that installs another. */
  add(name: string, commands: string): void {
    const body = `#!/bin/sh\necho "${name} $*" >> '${this.#calls}'\nPROGRAMS='${this.#programs}'\n${commands}\n`;
    writeFileSync(join(this.#programs, name), body, { mode: 0o755 });
  }

  addServer(name: string, version: string): void {
    this.add(name, `echo '${version}'`);
  }

  /** Of the programs added, in order. */
  calls(): string[] {
    return readFileSync(this.#calls, 'utf8').split('\n').filter(Boolean);
  }

  async setUp({ user = 'somebody', environment = {} }: Run = {}): Promise<{ code: number; output: string }> {
    const identity = `data:text/javascript,process.getuid=()=>${user === 'root' ? 0 : 1000}`;
    const script = join(this.#folder, 'scripts/setup.mjs');
    const child = spawn(process.execPath, ['--import', identity, script], {
      env: { PATH: this.#programs, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [[code], ...output] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ]);
    return { code: Number(code), output: output.join('') };
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
