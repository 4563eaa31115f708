/**
 * `npm run replicas`: runs the sample application twice on one Redis, has one replica change a city, and shows what the other answers then:
 * the caches of both hold the page, and neither serves it after the change. It ends by itself, with 1 if a replica was out of date.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { spawnAtlas } from './atlas.mjs';
import { build } from './build.mjs';
import { onStop } from './on-stop.mjs';
import { environmentWith, openRedis } from './redis.mjs';
import { setUp } from './setup.mjs';

/** Zürich. */
const city = 2657896;

/** How long a change may take to be everywhere, in milliseconds. */
const bound = 100;

const found = await setUp({ redis: 'any' });
build('library', 'sample');
const redis = await openRedis(found);
console.log(`${redis.label}\nStarting two replicas …`);
const replicas = [];
onStop(() => replicas.forEach(({ process: replica }) => replica.kill('SIGTERM')));
try {
  // One after the other: the first imports the cities.
  for (const name of ['A', 'B']) replicas.push(await startReplica(name));
  await show(...replicas);
} finally {
  await Promise.all(replicas.map(stopReplica));
  await redis.stop();
}

async function show(first, second) {
  const { population: before } = await page(first, 'the handler runs, and what it answers is cached');
  const shared = await page(second, 'found in Redis: the handler does not run');
  await wait(bound);
  const kept = await page(second, 'and now in the memory of the replica itself');
  await change(first, before + 1);
  await wait(bound);
  const changed = await page(second, 'told of the change by Redis: the old page is gone');
  await change(second, before);
  await wait(bound);
  const restored = await page(first, 'the other way round');
  const isShared = shared.source === 'HIT' && kept.source === 'HIT';
  const isCoherent = changed.population === before + 1 && restored.population === before;
  console.log(
    isCoherent ? 'No replica served what had been changed.' : 'A replica served what had been changed!',
  );
  if (!isShared) console.log('But the replicas did not share what they had cached.');
  if (!isShared || !isCoherent) process.exitCode = 1;
}

/** Asks for the page of the city, and tells what came. */
async function page(replica, comment) {
  const { headers, body } = await ask(replica, 'GET');
  const source = headers['x-cache'];
  console.log(
    `  ${replica.name}  GET   /cities/${city}  ${source.padEnd(5)} population ${body.population}   (${comment})`,
  );
  return { source, population: body.population };
}

async function change(replica, population) {
  await ask(replica, 'PATCH', { population });
  console.log(`  ${replica.name}  PATCH /cities/${city}        population ${population}`);
}

/** By one name for both, as behind a load balancer: what is cached for one host is not for another. */
async function ask({ url }, method, content) {
  const headers = { host: 'atlas.example', 'content-type': 'application/json' };
  const asking = request(`${url}/cities/${city}`, { method, headers });
  asking.end(content && JSON.stringify(content));
  const [response] = await once(asking, 'response');
  if (response.statusCode !== 200)
    throw new Error(`${method} /cities/${city} was answered with ${response.statusCode}`);
  return { headers: response.headers, body: await json(response) };
}

/** Resolves when it takes requests: it then prints its address. */
async function startReplica(name) {
  const env = found.kind === 'url' ? process.env : environmentWith(redis.url);
  const replica = spawnAtlas({ ...env, PORT: '0' }, 'pipe');
  const ended = once(replica, 'exit');
  for await (const line of createInterface({ input: replica.stdout })) {
    const [url] = /http:\/\/localhost:\d+/.exec(line) ?? [];
    if (!url) continue;
    replica.stdout.resume();
    return { name, url, process: replica, ended };
  }
  throw new Error(`Replica ${name} ended before it took requests`);
}

async function stopReplica({ process: replica, ended }) {
  replica.kill('SIGTERM');
  await ended;
}
