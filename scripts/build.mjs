import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './setup.mjs';

const shared = [
  'src',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'package.json',
  'package-lock.json',
];
const tsc = 'node_modules/typescript/bin/tsc';

/** `output` stands for the whole folder: without it there is no build, whatever the record says. */
const parts = {
  library: {
    inputs: shared,
    output: 'dist/index.js',
    command: ['node_modules/@nestjs/cli/bin/nest.js', 'build'],
  },
  sample: { inputs: [...shared, 'sample'], output: 'sample/dist/main.js', command: [tsc, '-p', 'sample'] },
  bench: { inputs: [...shared, 'bench', 'sample'], output: 'bench/dist', command: [tsc, '-p', 'bench'] },
};

/** Builds the parts named (library, sample, bench) whose sources have changed. Ends the process where one fails. */
export function build(...names) {
  for (const name of names) buildPart(name);
}

function buildPart(name) {
  const { inputs, output, command } = parts[name];
  // Kept among the dependencies, so that new ones mean a new build; and by content of a folder, so that a build
  // which failed after it wrote something, as the compiler does, is not taken for one that succeeded.
  const record = join(root, 'node_modules/.cache/rednest', `${name}.build`);
  const fingerprint = fingerprintOf(inputs);
  if (existsSync(join(root, output)) && existsSync(record) && readFileSync(record, 'utf8') === fingerprint)
    return;

  console.log(`Building ${name === 'library' ? 'the library' : `the ${name}`} …`);
  if (name !== 'library') rmSync(join(root, name, 'dist'), { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error('The build failed; see above.');
    process.exit(1);
  }
  if (name !== 'library') copyScripts(name);
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, fingerprint);
}

/** The compiler leaves behind what is read at run time through `new URL('./….lua', import.meta.url)`. */
function copyScripts(folder) {
  for (const path of filesUnder(folder).filter((file) => file.endsWith('.lua'))) {
    const target = join(root, folder, 'dist', path.slice(folder.length));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, path), target);
  }
}

function fingerprintOf(inputs) {
  const hash = createHash('sha256');
  for (const path of inputs.flatMap(filesUnder).filter((file) => !/\.(spec|fixture)\.ts$/.test(file))) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Every file at or under the path, both relative to the project; what a build wrote is left out. */
function filesUnder(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .filter((name) => name !== 'dist' && name !== 'node_modules')
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}
