/** `npm test [arguments of Jest]`: sets up what is missing, then runs the tests on servers that they start themselves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { relative } from 'node:path';
import { onStop } from './on-stop.mjs';
import { environmentWith } from './redis.mjs';
import { root, setUp } from './setup.mjs';

/** How many files run again where something has failed in them: if it is more, it is not the machine. */
const mostAgain = 3;

const server = await setUp({ redis: 'server' });
let running;
// Ctrl-C reaches Jest by itself; what is sent to this process only is passed on. Either way its end is awaited.
onStop((signal) => signal === 'SIGINT' || running.kill(signal));

const given = process.argv.slice(2);
let { code, tally } = await runJest(given);
const failures = tally?.failures.length ?? 0;
if (process.env.CI && code === 1 && failures > 0 && failures <= mostAgain) {
  // Faults are injected and counted in real time, beside other tests on few processors. What is broken fails alone too; what is told to have
  // passed alone only may be a race, and is to be looked at.
  const names = tally.failures.map(({ path }) => relative(root, path)).join(', ');
  console.log(`\nFailed beside other tests, and run once more alone: ${names}`);
  const args = given.filter((argument) => !argument.startsWith('--maxWorkers'));
  const paths = tally.failures.map(({ path }) => path);
  const again = await runJest([...args, '--runInBand', '--runTestsByPath', ...paths]);
  code = again.code;
  tally = again.tally && inPlaceOf(tally, again.tally);
  if (code === 0) console.log(`Passed alone only: ${names}`);
}
if (process.env.CI && tally)
  console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exitCode = code;

async function runJest(args) {
  running = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...args], {
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
  let counts;
  running.on('message', (message) => (counts = message));
  const [[exitCode, signal]] = await Promise.all([once(running, 'exit'), once(running, 'disconnect')]);
  return { code: signal ? 128 + constants.signals[signal] : exitCode, tally: counts };
}

/** The counts of all tests, where those of some files are of their second run. */
function inPlaceOf(first, second) {
  const without = (kind) => first.failures.reduce((sum, file) => sum - file[kind], first[kind]);
  return {
    passed: without('passed') + second.passed,
    failed: second.failed,
    skipped: without('skipped') + second.skipped,
  };
}
