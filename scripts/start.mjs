/** `npm start`: sets up what is missing, then runs the sample application on a Redis of its own or on REDIS_URL. */
import { once } from 'node:events';
import { constants } from 'node:os';
import { spawnAtlas } from './atlas.mjs';
import { build } from './build.mjs';
import { onStop } from './on-stop.mjs';
import { environmentWith, openRedis } from './redis.mjs';
import { setUp } from './setup.mjs';

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
  const application = spawnAtlas(env, 'inherit');
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
