/**
 * What `npm start`, `npm test` and `npm run bench` need before they begin: a supported Node, the dependencies, a Redis.
 * It uses nothing but Node's own modules, says what it does, and says nothing where nothing is missing.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const inContinuousIntegration = !['', '0', 'false'].includes(process.env.CI ?? '');
const isRoot = process.getuid?.() === 0;
/** What a shell is given where no server is found: the first whose program is there. */
const packageManagers = [
  {
    name: 'apt-get',
    // A fresh machine has no package lists; an update that fails in one of many sources need not matter.
    install:
      'apt-get update -qq; DEBIAN_FRONTEND=noninteractive ' +
      'apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=60 redis-server',
    service: 'redis-server',
  },
  { name: 'apk', install: 'apk add redis || apk add valkey' },
  { name: 'dnf', install: 'dnf install -y -q valkey || dnf install -y -q redis' },
  { name: 'brew', install: 'brew install redis', refusesRoot: true },
];

/**
 * Sets up what is missing and returns the Redis that was found. Ends the process, after saying why, where that fails.
 *
 * - `redis: 'server'` — a server program, for commands that start servers of their own
 * - `redis: 'any'` — `REDIS_URL` and Docker will do as well
 */
export async function setUp({ redis }) {
  checkNode();
  installDependencies(root);
  if (redis === 'any' && process.env.REDIS_URL) return { kind: 'url', url: process.env.REDIS_URL };
  const server = findServer() ?? (await installServer());
  if (server) return { kind: 'server', ...server };
  if (redis === 'any' && dockerAnswers()) return { kind: 'docker' };
  return stop(whatToInstall(redis));
}

/** Runs `npm ci` in the folder unless what its lock asks for is already there. */
export function installDependencies(folder) {
  if (dependenciesAreCurrent(folder)) return;
  console.log(
    `Installing dependencies${folder === root ? '' : ` of ${folder.slice(root.length)}`} (npm ci) …`,
  );
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'],
    {
      cwd: folder,
      stdio: 'inherit',
    },
  );
  if (status !== 0) stop(`npm ci failed${error ? `: ${error.message}` : ''}; see above.`);
}

/** By content rather than by date: a checkout sets new dates, and npm keeps its own record of what it installed. */
function dependenciesAreCurrent(folder) {
  const record = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === version && found.integrity === integrity : optional === true;
  });
}

function checkNode() {
  const supported = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  const [major, minor] = process.versions.node.split('.').map(Number);
  const fits = supported.split('||').some((range) => {
    const [, operator, fromMajor, fromMinor = 0] = /^(\^|>=)(\d+)(?:\.(\d+))?$/.exec(range.trim());
    if (major === Number(fromMajor)) return minor >= Number(fromMinor);
    return operator === '>=' && major > Number(fromMajor);
  });
  if (!fits) stop(`Node ${process.versions.node} is not supported: rednest needs Node ${supported}.`);
}

function findServer() {
  const chosen = process.env.REDNEST_REDIS_SERVER;
  if (chosen)
    return serverAt(chosen) ?? stop(`REDNEST_REDIS_SERVER=${chosen} is not a server that can be used.`);
  for (const name of ['redis-server', 'valkey-server']) {
    const path = onPath(name);
    const server = path && serverAt(path);
    if (server) return server;
  }
  return undefined;
}

/** What stands there, when it runs and is recent enough; `version` is such as `Redis 7.0.15`. */
function serverAt(path) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const [, product, version] = /^(\w+) server v=([\d.]+)/.exec(stdout ?? '') ?? [];
  if (!version) return undefined;
  const [major, minor] = version.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return { path, version: `${product} ${version}` };
  console.log(`${path} is ${product} ${version}: too old, rednest needs Redis 6.2 or Valkey 7.2.`);
  return undefined;
}

async function installServer() {
  const manager = packageManagers.find(({ name }) => onPath(name));
  if (!manager) return undefined;
  const asUser = isRoot || manager.refusesRoot;
  if (!asUser && !(await maySudo(manager.install))) return undefined;

  const shell = asUser ? ['sh', '-c'] : ['sudo', 'sh', '-c'];
  const hadService = serviceExists(manager.service);
  console.log(`Installing a Redis server: ${manager.install} …`);
  const { succeeded, output } = run([...shell, manager.install]);
  if (!succeeded) {
    console.error(output);
    return undefined;
  }
  if (manager.service && !hadService) run([...shell, stopServiceCommand(manager.service)]);
  return findServer();
}

async function maySudo(command) {
  if (!onPath('sudo')) return false;
  if (inContinuousIntegration || !process.stdin.isTTY || !process.stdout.isTTY) {
    console.error(
      `A Redis server is missing, and sudo is not used without asking. To install one, run as root:\n  ${command}`,
    );
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await new Promise((resolve) => {
    terminal.once('close', () => resolve(''));
    terminal.once('SIGINT', () => stop('\nStopped.'));
    terminal.question(`A Redis server is missing. Run this with sudo?\n  ${command}\n[y/N] `, resolve);
  });
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** A Debian package starts what it installs, now and at every boot; this project starts its servers itself. */
function stopServiceCommand(service) {
  return `systemctl disable --now ${service} || /etc/init.d/${service} stop`;
}

function serviceExists(service) {
  return [`/etc/init.d/${service}`, `/lib/systemd/system/${service}.service`].some(existsSync);
}

function dockerAnswers() {
  if (!onPath('docker')) return false;
  return (
    spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 }).status === 0
  );
}

function run([command, ...args]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    stdio: ['inherit', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return { succeeded: status === 0, output: error ? `${error.message}\n` : `${stdout}${stderr}` };
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function whatToInstall(redis) {
  const lines = [
    'No Redis server was found, and none could be installed. Install one, then run the command again:',
    '  Debian, Ubuntu  apt-get install redis-server',
    '  Alpine          apk add redis',
    '  Fedora, RHEL    dnf install valkey (or redis)',
    '  macOS           brew install redis',
    'or set REDNEST_REDIS_SERVER to the path of a redis-server (6.2 or later) or a valkey-server (7.2 or later).',
  ];
  if (redis === 'any') lines.push('A REDIS_URL in the environment or a running Docker will do as well.');
  return lines.join('\n');
}

/** Ends the process with a message. Its type is that of a value, so that it can stand on the right of `??`. */
function stop(message) {
  console.error(message);
  process.exit(1);
}

// `node scripts/setup.mjs [folder …]` sets up what the tests need, and the dependencies of the folders given.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { path, version } = await setUp({ redis: 'server' });
  for (const folder of process.argv.slice(2)) installDependencies(join(root, folder));
  console.log(`Everything is there: Node ${process.versions.node}, the dependencies, ${version} (${path}).`);
}
