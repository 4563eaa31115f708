/** `npm test [arguments of Jest]`: sets up what is missing, then runs the tests on servers that they start themselves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { onStop } from './on-stop.mjs';
import { environmentWith } from './redis.mjs';
import { root, setUp } from './setup.mjs';

const server = await setUp({ redis: 'server' });
const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...process.argv.slice(2)], {
  cwd: root,
  // Through the environment, because Jest's workers need the flags too. REDIS_URL may be somebody's production.
  env: {
    ...environmentWith(undefined),
    // Nor are the keys of tests those that a developer has set.
    ENCRYPTION_KEY: undefined,
    ENCRYPTION_DECRYPT_KEYS: undefined,
    REDNEST_REDIS_SERVER: server.path,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`,
  },
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
// From scripts/tally-reporter.mjs.
let tally;
jest.on('message', (message) => (tally = message));
// Ctrl-C reaches Jest by itself; what is sent to this process only is passed on. Either way its end is awaited.
onStop((signal) => signal === 'SIGINT' || jest.kill(signal));

const [[code, signal]] = await Promise.all([once(jest, 'exit'), once(jest, 'disconnect')]);
if (process.env.CI && tally) console.log(tally);
process.exitCode = signal ? 128 + constants.signals[signal] : code;
