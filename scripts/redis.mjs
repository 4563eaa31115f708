import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Starts what {@link setUp} found, or takes the server that `REDIS_URL` names. The library has to be built.
 * Returns the URL, a line that says what it is, and `stop()`, which leaves nothing running.
 */
export async function openRedis(found) {
  if (found.kind === 'url')
    return { url: found.url, label: `Redis at ${hostOf(found.url)} (REDIS_URL)`, stop: async () => {} };
  if (found.kind === 'docker') return startInDocker();
  // Its own helper for tests has the guard that lets no server outlive this process.
  process.env.REDNEST_REDIS_SERVER = found.path;
  const { startRedis } = await import('../dist/testing/index.js');
  const server = await startRedis();
  const { host, port } = server.options;
  return {
    url: `redis://${host}:${port}`,
    label: `${found.version} on ${host}:${port} (stops with this command)`,
    stop: () => server.stop(),
  };
}

/** The environment for an application or a test that shall see this Redis, or none, and no other. */
export function environmentWith(url) {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('REDIS_'));
  return { ...Object.fromEntries(others), ...(url && { REDIS_URL: url }) };
}

async function startInDocker() {
  const port = await freePort();
  // The server ends when the pipe to this process closes, so it cannot outlive it, however this process ends.
  const serve = 'redis-server --save "" --appendonly no & cat >/dev/null; kill $!; wait';
  const args = ['run', '--rm', '-i', '-p', `127.0.0.1:${port}:6379`, 'redis:7', 'sh', '-c', serve];
  const docker = spawn('docker', args, { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  const ended = once(docker, 'exit').then(([code]) => code);
  while (docker.exitCode === null && !(await answers(port))) await wait(100);
  if (docker.exitCode !== null)
    throw new Error(`docker run ended with code ${await ended} before Redis answered`);
  return {
    url: `redis://127.0.0.1:${port}`,
    label: `Redis 7 in Docker on 127.0.0.1:${port} (stops with this command)`,
    stop: async () => {
      docker.stdin.end();
      await ended;
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Docker accepts connections on the port before there is a server behind it: only an answer counts. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('data', (data) => settle(data.toString().startsWith('+PONG')));
  });
}

/** Without the password. */
function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return 'the address given';
  }
}
