/**
 * `npm run replicas`: runs the sample application twice on one Redis and shows what the replicas share. One changes a city, and the other no
 * longer serves the page that it has cached; both sell the last places of a tour, and not one too many; one does the nightly job; one ranks the
 * cities, and the other goes on when that one stops. It ends by itself, with 1 if something was not so.
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

/** A tour with few places. */
const tour = 'vaduz-castle';

/** How many ask for a place of it at once. */
const crowd = 40;

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
  await showCaching(...replicas);
  await showBookings(...replicas);
  await showNightlyJob(...replicas);
  await showHandOver();
} finally {
  await Promise.all(replicas.map(stopReplica));
  await redis.stop();
}

async function showCaching(first, second) {
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
  conclude(
    isShared,
    'The replicas shared what they had cached.',
    'The replicas did not share what was cached!',
  );
  conclude(isCoherent, 'No replica served what had been changed.', 'A replica served what had been changed!');
}

/** Both replicas sell the same few places at the same time. */
async function showBookings(...sellers) {
  const path = `/tours/${tour}`;
  const guests = Array.from({ length: crowd }, (_, index) => `Guest ${index + 1}`);
  const giveBack = (guest) => send(sellers[0], 'DELETE', `${path}/bookings/${encodeURIComponent(guest)}`);
  // What a run that was interrupted may have left behind on a Redis that outlives this command.
  await Promise.all(guests.map(giveBack));
  const { body: before } = await ask(sellers[0], 'GET', path);
  console.log(`\n${crowd} guests ask for a place of tour ${tour} at once; ${before.placesLeft} are left.`);
  const answers = await Promise.all(
    guests.map(async (guest, index) => {
      const seller = sellers[index % sellers.length];
      const { status } = await send(seller, 'POST', `${path}/bookings`, { guest, places: 1 });
      return { seller, guest, status };
    }),
  );
  for (const seller of sellers) {
    const [sold, refused] = [201, 409].map(
      (wanted) => answers.filter((answer) => answer.seller === seller && answer.status === wanted).length,
    );
    console.log(
      `  ${seller.name}  POST  ${path}/bookings  ${sold} sold, ${refused} told that it is sold out`,
    );
  }
  const sold = answers.filter(({ status }) => status === 201);
  const { body: after } = await ask(sellers[1], 'GET', path);
  const isRight = sold.length === before.placesLeft && after.placesLeft === 0;
  conclude(
    isRight,
    'Every place was sold, and none twice.',
    'More or fewer places were sold than there were!',
  );
  await Promise.all(guests.map(giveBack));
}

async function showNightlyJob(...workers) {
  console.log('\nThe timer of both replicas calls the nightly job.');
  const path = '/tours/nightly';
  const runs = await Promise.all(workers.map((worker) => ask(worker, 'POST', path)));
  const done = runs.map(({ body }) => body.ran);
  done.forEach((ran, index) =>
    console.log(`  ${workers[index].name}  POST  ${path}  ${ran ? 'does it' : 'leaves it to the other'}`),
  );
  // Another may have done it within the minute before, on a Redis that outlives this command.
  const fewest = found.kind === 'url' ? 0 : 1;
  const times = done.filter(Boolean).length;
  const isRight = times >= fewest && times <= 1;
  const failure = times > 1 ? 'Both replicas did the nightly job!' : 'Neither replica did the nightly job!';
  conclude(isRight, 'It was not done twice.', failure);
}

/** Stops the replica that leads: the other takes over at once, and not when a lease has run out. */
async function showHandOver() {
  console.log('\nOne replica ranks the cities, for both.');
  const elected = () => replicas.find(({ lines }) => lines.some((line) => line.includes('Ranks the cities')));
  await until(elected);
  const leader = elected();
  const other = replicas.find((replica) => replica !== leader);
  console.log(`  ${leader.name}  leads, and is stopped`);
  leader.process.kill('SIGTERM');
  const stoppedAt = performance.now();
  const isElected = await until(() => other.lines.some((line) => line.includes('Ranks the cities')));
  const milliseconds = Math.round(performance.now() - stoppedAt);
  if (isElected) console.log(`  ${other.name}  leads, ${milliseconds} ms later`);
  conclude(isElected, 'The other has taken over.', 'The other has not taken over!');
}

function conclude(isRight, conclusion, failure) {
  console.log(isRight ? conclusion : failure);
  if (!isRight) process.exitCode = 1;
}

/** @returns whether it came true within ten seconds */
async function until(condition) {
  const deadline = performance.now() + 10_000;
  while (!condition() && performance.now() < deadline) await wait(10);
  return Boolean(condition());
}

/** Asks for the page of the city, and tells what came. */
async function page(replica, comment) {
  const { headers, body } = await ask(replica, 'GET', `/cities/${city}`);
  const source = headers['x-cache'];
  console.log(
    `  ${replica.name}  GET   /cities/${city}  ${source.padEnd(5)} population ${body.population}   (${comment})`,
  );
  return { source, population: body.population };
}

async function change(replica, population) {
  await ask(replica, 'PATCH', `/cities/${city}`, { population });
  console.log(`  ${replica.name}  PATCH /cities/${city}        population ${population}`);
}

/** As {@link send}. @throws Error for what is answered with an error */
async function ask(replica, method, path, content) {
  const answer = await send(replica, method, path, content);
  if (answer.status >= 300) throw new Error(`${method} ${path} was answered with ${answer.status}`);
  return answer;
}

/** By one name for both, as behind a load balancer: what is cached for one host is not for another. */
async function send({ url }, method, path, content) {
  const headers = { host: 'atlas.example', 'content-type': 'application/json' };
  const asking = request(`${url}${path}`, { method, headers });
  asking.end(content && JSON.stringify(content));
  const [response] = await once(asking, 'response');
  return { status: response.statusCode, headers: response.headers, body: await json(response) };
}

/** Resolves when it takes requests: it then prints its address. */
async function startReplica(name) {
  const env = found.kind === 'url' ? process.env : environmentWith(redis.url);
  const replica = spawnAtlas({ ...env, PORT: '0' }, 'pipe');
  const ended = once(replica, 'exit');
  const lines = [];
  const output = createInterface({ input: replica.stdout }).on('line', (line) => lines.push(line));
  for (;;) {
    const [url] = /http:\/\/localhost:\d+/.exec(lines.join('\n')) ?? [];
    if (url) return { name, url, lines, process: replica, ended };
    const hasEnded = await Promise.race([once(output, 'line').then(() => false), ended.then(() => true)]);
    if (hasEnded) throw new Error(`Replica ${name} ended before it took requests`);
  }
}

async function stopReplica({ process: replica, ended }) {
  replica.kill('SIGTERM');
  await ended;
}
