import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const sources = fileURLToPath(new URL('..', import.meta.url));
const dependencies = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** A Node process of its own that uses `rednest/testing`: to see what becomes of the servers when it ends. */
export class ScriptProcess {
  readonly child: ChildProcess;
  readonly #directory: string;
  #output = '';
  #errors = '';

  private constructor(directory: string) {
    this.#directory = directory;
    this.child = spawn(process.execPath, [join(directory, 'script.js')], {
      // In a group of its own, so that a signal can be sent to all of it, as Ctrl-C does.
      detached: true,
      env: { PATH: process.env['PATH'], TMPDIR: join(directory, 'tmp') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
  }

  /** Runs a module that may import from `./testing/index.js`. What the project depends on is installed for it, save the packages named. */
  static async run(script: string, { without = [] }: { without?: string[] } = {}): Promise<ScriptProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'rednest-spec-'));
    await mkdir(join(directory, 'tmp'));
    await mkdir(join(directory, 'node_modules'));
    for (const name of await readdir(dependencies)) {
      if (!without.includes(name))
        await symlink(join(dependencies, name), join(directory, 'node_modules', name));
    }
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
    await writeFile(join(directory, 'script.js'), script);
    const paths = await readdir(sources, { recursive: true });
    await Promise.all(paths.filter(isSource).map((path) => compile(path, directory)));
    await Promise.all(paths.filter(isScript).map((path) => copyTo(path, directory)));
    return new ScriptProcess(directory);
  }

  get errors(): string {
    return this.#errors;
  }

  /** Waits for a line that the script prints as JSON. */
  async line(): Promise<unknown> {
    while (!this.#output.includes('\n')) {
      if (this.child.exitCode !== null) throw new Error(`The script has ended: ${this.#errors}`);
      await sleep(10);
    }
    const end = this.#output.indexOf('\n');
    const line = this.#output.slice(0, end);
    this.#output = this.#output.slice(end + 1);
    return JSON.parse(line);
  }

  async ended(): Promise<number | NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Directories of servers that are there now. */
  async serverDirectories(): Promise<string[]> {
    return readdir(join(this.#directory, 'tmp'));
  }

  async remove(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const isSource = (path: string) => path.endsWith('.ts') && !/\.(spec|fixture)\.ts$/.test(path);
const isScript = (path: string) => path.endsWith('.lua');

async function copyTo(path: string, directory: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await copyFile(join(sources, path), join(directory, path));
}

async function compile(path: string, directory: string): Promise<void> {
  const { code } = await transformFile(join(sources, path), {
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    },
  });
  const target = join(directory, path.replace(/ts$/, 'js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code);
}
