/**
 * `npm run bench [name …]`: runs bench/<name>.bench.ts, or all of them, against a real server. Words that name no file
 * choose cases of the benchmark before them: `npm run bench cache local http`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { build } from './build.mjs';
import { environmentWith, openRedis } from './redis.mjs';
import { installDependencies, root, setUp } from './setup.mjs';

/** Those that measure rednest against the packages of bench/peers. */
const withPeers = ['cache', 'encryption', 'lock', 'pubsub'];

const names = readdirSync(`${root}bench`)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
const chosen = benchmarksOf(process.argv.slice(2));

const found = await setUp({ redis: 'server' });
if (chosen.some(({ name }) => withPeers.includes(name))) installDependencies(`${root}bench/peers`);
build('library', 'bench');
const redis = await openRedis(found);
console.log(redis.label);
try {
  for (const benchmark of chosen) run(benchmark);
} finally {
  await redis.stop();
}

function benchmarksOf(words) {
  if (words.length === 0) return names.map((name) => ({ name, cases: [] }));
  const benchmarks = [];
  for (const word of words) {
    if (names.includes(word)) benchmarks.push({ name: word, cases: [] });
    else if (benchmarks.length > 0) benchmarks.at(-1).cases.push(word);
    else {
      console.error(`There is no bench/${word}.bench.ts; there are: ${names.join(', ')}`);
      process.exit(1);
    }
  }
  return benchmarks;
}

function run({ name, cases }) {
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, [`bench/dist/bench/${name}.bench.js`, ...cases], {
    cwd: root,
    env: environmentWith(redis.url),
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
