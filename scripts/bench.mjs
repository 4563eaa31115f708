/** `npm run bench [name …]`: runs bench/<name>.bench.ts, or all of them, against a real server. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { build } from './build.mjs';
import { environmentWith, openRedis } from './redis.mjs';
import { root, setUp } from './setup.mjs';

const names = process.argv.slice(2);
const files = readdirSync(`${root}bench`).filter((file) => file.endsWith('.bench.ts'));
const chosen = names.length > 0 ? names.map((name) => `${name}.bench.ts`) : files;
const missing = chosen.find((file) => !files.includes(file));
if (missing) {
  console.error(`There is no bench/${missing}; there are: ${files.join(', ')}`);
  process.exit(1);
}

const found = await setUp({ redis: 'server' });
build('library', 'bench');
const redis = await openRedis(found);
console.log(redis.label);
try {
  for (const file of chosen) run(file.replace(/\.ts$/, '.js'));
} finally {
  await redis.stop();
}

function run(file) {
  console.log(`\n${file.replace('.bench.js', '')}`);
  const { status } = spawnSync(process.execPath, [`bench/dist/bench/${file}`], {
    cwd: root,
    env: environmentWith(redis.url),
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
