import { spawn } from 'node:child_process';
import { root } from './setup.mjs';

const flags = ['--enable-source-maps', '--import', new URL('./stop-with-parent.mjs', import.meta.url).href];

/**
 * Starts the sample application, which has to be built. It stops when this process dies.
 *
 * @param stdout 'inherit' or 'pipe'
 */
export function spawnAtlas(env, stdout) {
  // A group of its own: Ctrl-C reaches this process only, which then stops the application before its Redis.
  return spawn(process.execPath, [...flags, 'sample/dist/main.js'], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  });
}
