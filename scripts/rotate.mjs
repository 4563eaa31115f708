/**
 * `npm run rotate [-- --resume <text>]`: encrypts anew, under ENCRYPTION_KEY, what the sample has in the Redis of REDIS_URL under the
 * ENCRYPTION_DECRYPT_KEYS. Ctrl-C stops it, and it says how to go on.
 */
import { runToEnd, spawnAtlas } from './atlas.mjs';
import { build } from './build.mjs';
import { setUp } from './setup.mjs';

if (process.env.REDIS_URL) {
  await setUp({ redis: 'any' });
  build('library', 'sample');
  process.exitCode = await runToEnd(spawnAtlas(process.env, 'inherit', 'rotate', process.argv.slice(2)));
} else {
  console.error('REDIS_URL is missing: it names the Redis whose values are to be encrypted anew');
  process.exitCode = 1;
}
