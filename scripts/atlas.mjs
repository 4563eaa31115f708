import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { onStop } from './on-stop.mjs';
import { root } from './setup.mjs';

const flags = ['--enable-source-maps', '--import', new URL('./stop-with-parent.mjs', import.meta.url).href];

/** How long a program may take to stop before it is killed. */
const shutdownDeadline = 15_000;

/**
 * Starts the sample application, which has to be built, or another program of it. It stops when this process dies.
 *
 * @param stdout 'inherit' or 'pipe'
 */
export function spawnAtlas(env, stdout, program = 'main', args = []) {
  // A group of its own: Ctrl-C reaches this process only, which then stops the application before its Redis.
  return spawn(process.execPath, [...flags, `sample/dist/${program}.js`, ...args], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  });
}

/** Lets it run to its end, passes on a request to stop, and returns its exit code. A stop that was asked for counts as success. */
export async function runToEnd(application) {
  let requested;
  onStop((signal) => {
    // A second request means now.
    application.kill(requested ? 'SIGKILL' : signal);
    requested ??= signal;
    setTimeout(() => application.kill('SIGKILL'), shutdownDeadline).unref();
  });
  const [code, signal] = await once(application, 'exit');
  if (signal === null) return code;
  return signal === requested ? 0 : 128 + constants.signals[signal];
}
