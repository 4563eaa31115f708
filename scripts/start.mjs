/** `npm start`: sets up what is missing, then runs the sample application on a Redis of its own or on REDIS_URL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { build } from './build.mjs';
import { onStop } from './on-stop.mjs';
import { environmentWith, openRedis } from './redis.mjs';
import { root, setUp } from './setup.mjs';

/** How long the application may take to shut down before it is killed. */
const shutdownDeadline = 15_000;

const found = await setUp({ redis: 'any' });
build('library', 'sample');
const redis = await openRedis(found);
console.log(redis.label);
process.exitCode = await runApplication(found.kind === 'url' ? process.env : environmentWith(redis.url));
await redis.stop();

/** Runs it to its end and returns its exit code. A stop that was asked for counts as success. */
async function runApplication(env) {
  const flags = ['--enable-source-maps', '--import', new URL('./stop-with-parent.mjs', import.meta.url).href];
  // A group of its own: Ctrl-C reaches this process only, which then stops the application before its Redis.
  const application = spawn(process.execPath, [...flags, 'sample/dist/main.js'], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let requested;
  const stopApplication = (signal) => {
    // A second request means now.
    application.kill(requested ? 'SIGKILL' : signal);
    requested ??= signal;
    setTimeout(() => application.kill('SIGKILL'), shutdownDeadline).unref();
  };
  onStop(stopApplication);
  const [code, signal] = await once(application, 'exit');
  if (signal === null) return code;
  return signal === requested ? 0 : 128 + constants.signals[signal];
}
