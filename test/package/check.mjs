/** Packs rednest, checks the tarball, and uses it as applications do: as ESM, as CommonJS, on Nest 12 and on Nest 11. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentWith } from '../../scripts/redis.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = fileURLToPath(new URL('nest11-cjs-jest', import.meta.url));

/** Some of what each entry must export. */
const exported = {
  rednest: [
    'RedisModule',
    'RedisConnection',
    'InjectRedis',
    'RedisError',
    'defineScript',
    'key',
    'retry',
    'CacheModule',
    'CacheService',
    'Cacheable',
    'HttpCache',
    'LockModule',
    'LockService',
    'fenceKey',
    'PubSubModule',
    'EventBus',
    'Event',
    'Subscribe',
    'EncryptionModule',
    'EncryptedStore',
    'EncryptedRecords',
    'Encrypted',
  ],
  'rednest/diagnostics': ['RedisInspectorModule', 'RedisInspector', 'InjectRedisInspector'],
  'rednest/throttler': ['RedisThrottlerStorage'],
  'rednest/keyv': ['KeyvCacheStore'],
  'rednest/bullmq': ['bullConnection'],
  'rednest/testing': ['startRedis'],
};

/** The entries that need an optional peer: the application on Nest 11 has none of those, and the others load all the same. */
const exportedWithPeers = {
  'rednest/health': ['RedisHealthModule', 'RedisHealthIndicator'],
  'rednest/metrics': ['RedisMetricsModule'],
  'rednest/session': ['RedisSessionStore'],
};

// What the applications connect to is theirs to say.
const env = environmentWith(undefined);
const scratch = mkdtempSync(join(tmpdir(), 'rednest-package-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

const tarball = pack();
lint(tarball);
useFromNest12(tarball);
useFromNest11(tarball);

function pack() {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch]));
  const paths = files.map(({ path }) => path);
  const strays = paths.filter((path) =>
    /\.(spec|fixture)\.|\.tsbuildinfo$|\.env$|^(src|test|scripts)\//.test(path),
  );
  if (strays.length > 0) fail(`These do not belong into the package: ${strays.join(', ')}`);
  report(`npm pack: ${paths.length} files`);
  return join(scratch, filename);
}

function lint(packed) {
  run('npx', ['publint', 'run', packed, '--strict']);
  report('publint --strict');
  // It may delete what it was given.
  const copy = join(scratch, 'copy.tgz');
  copyFileSync(packed, copy);
  run('npx', ['attw', copy, '--profile', 'esm-only']);
  report('attw --profile esm-only');
}

function useFromNest12(packed) {
  const project = join(scratch, 'nest12');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'nest12', private: true }));
  const peers = [
    '@nestjs/common',
    '@nestjs/core',
    '@nestjs/config',
    '@nestjs/terminus',
    'express-session',
    'prom-client',
  ];
  install(project, [packed, ...peers.map((name) => `${name}@${versionOf(name)}`)]);
  importAndRequire(project, 'Nest 12', { ...exported, ...exportedWithPeers });
  useCommand(project);
}

/** The command line tool, as it is installed. */
function useCommand(project) {
  const version = run('npx', ['--no-install', 'rednest', '--version'], project).trim();
  const packed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  if (version !== packed) fail(`rednest --version: ${version}`);
  // Nobody listens on this port.
  const { status, stdout, stderr } = spawnSync('npx', ['--no-install', 'rednest', 'doctor', '--json'], {
    cwd: project,
    env: { ...env, REDIS_HOST: '127.0.0.1', REDIS_PORT: '1' },
    encoding: 'utf8',
  });
  const found = status === 3 && JSON.parse(stdout).findings.some(({ check }) => check === 'address');
  if (!found) fail([`rednest doctor: ${status}`, stdout, stderr].join('\n'));
  report('npx rednest');
}

function useFromNest11(packed) {
  const project = join(scratch, 'nest11');
  cpSync(fixture, project, { recursive: true });
  install(project, [packed]);
  importAndRequire(project, 'Nest 11', exported);
  checkTypes(project);
  report('Nest 11: types for a CommonJS application, and declarations without skipLibCheck');
  run('npx', ['jest', '--ci'], project);
  report("Nest 11: a CommonJS application's Jest, on a real server");
}

/** As in an application without skipLibCheck. What is wrong with the declarations of others is theirs to mend. */
function checkTypes(project) {
  const tsc = ['tsc', '--skipLibCheck', 'false', '--pretty', 'false'];
  const { status, stdout, stderr, error } = spawnSync('npx', tsc, { cwd: project, env, encoding: 'utf8' });
  // What belongs to an error and is indented follows it.
  const errors = stdout.split('\n').filter((line) => /^\S/.test(line));
  const own = errors.filter((line) => !/^node_modules\/(?!rednest\/)/.test(line));
  if (own.length > 0 || (status !== 0 && errors.length === 0))
    fail([error?.message, stdout, stderr].filter(Boolean).join('\n'));
}

/** Versions as pinned; nothing is written but node_modules. */
function install(project, packages) {
  const quiet = [
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--ignore-scripts',
  ];
  run('npm', ['install', ...quiet, ...packages], project);
}

function importAndRequire(project, title, entries) {
  const check = `
    for (const [entry, names] of Object.entries(${JSON.stringify(entries)})) {
      const found = await load(entry);
      const missing = names.filter((name) => typeof found[name] !== 'function');
      if (missing.length > 0) throw new Error(entry + ' does not export ' + missing.join(', '));
    }`;
  writeFileSync(join(project, 'esm.mjs'), `const load = (entry) => import(entry);${check}`);
  writeFileSync(join(project, 'commonjs.cjs'), `const load = require; (async () => {${check}})();`);
  for (const file of ['esm.mjs', 'commonjs.cjs']) {
    run(process.execPath, ['--disable-warning=ExperimentalWarning', file], project);
    report(`${title}: ${file === 'esm.mjs' ? 'import' : 'require()'}`);
  }
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Runs it to its end and returns what it wrote; shows that and gives up where it fails. */
function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0)
    fail([`${command} ${args.join(' ')}`, error?.message, stdout, stderr].filter(Boolean).join('\n'));
  return stdout;
}

function report(line) {
  console.log(`  ok  ${line}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
