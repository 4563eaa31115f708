/** `npm start`: sets up what is missing, then runs the sample application on a Redis of its own or on REDIS_URL. */
import { runToEnd, spawnAtlas } from './atlas.mjs';
import { build } from './build.mjs';
import { withSecrets } from './secrets.mjs';
import { environmentWith, openRedis } from './redis.mjs';
import { setUp } from './setup.mjs';

const found = await setUp({ redis: 'any' });
build('library', 'sample');
const redis = await openRedis(found);
console.log(redis.label);
const lasts = found.kind === 'url';
const env = withSecrets(lasts ? process.env : environmentWith(redis.url), lasts);
process.exitCode = await runToEnd(spawnAtlas(env, 'inherit'));
await redis.stop();
