/**
 * `npm run replicas`: runs the sample application twice on one Redis and shows what the replicas share. One changes a city, and the other no
 * longer serves the page that it has cached; a visit at one is shown by the other, and counted once; an update is logged by both; both sell
 * the last places of a tour, and not one too many; who logs in at one is known to the other; one does the nightly job; one ranks the cities, and the other goes on when that one stops.
 * It ends by itself, with 1 if something was not so.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { spawnAtlas } from './atlas.mjs';
import { build } from './build.mjs';
import { withSecrets } from './secrets.mjs';
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
const lasts = found.kind === 'url';
// The same for both.
const environment = withSecrets(lasts ? process.env : environmentWith(redis.url), lasts);
const replicas = [];
onStop(() => replicas.forEach(({ process: replica }) => replica.kill('SIGTERM')));
try {
  // One after the other: the first imports the cities.
  for (const name of ['A', 'B']) replicas.push(await startReplica(name));
  await showCaching(...replicas);
  await showViews(...replicas);
  await showUpdate(...replicas);
  await showBookings(...replicas);
  await showSession(...replicas);
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

/** A visit is an event: each replica shows it to the clients of its live feed, and one of them counts it. */
async function showViews(first, second) {
  const path = `/cities/${city}/visits`;
  const visitsAt = async (replica) => (await ask(replica, 'GET', path)).body.visits;
  const before = await visitsAt(first);
  const feed = await openFeed(second);
  console.log(
    `\nA client of ${second.name} follows the live feed, and the city is visited at ${first.name}.`,
  );
  let visits = 0;
  // More than once only where the feed, which begins a moment after its answer, has missed the first.
  for (; feed.views.length === 0 && visits < 10; visits++) {
    await ask(first, 'POST', path);
    console.log(`  ${first.name}  POST  ${path}`);
    await until(() => feed.views.length > 0, 1_000);
  }
  feed.close();
  const [view] = feed.views;
  if (view) console.log(`  ${second.name}  GET   /cities/live  ${view.name} was visited`);
  await until(async () => (await visitsAt(second)) >= before + visits);
  // Long enough for the other to count it, too, if it did.
  await wait(bound);
  const counted = (await visitsAt(second)) - before;
  console.log(`  ${second.name}  GET   ${path}  ${counted} more`);
  conclude(
    view?.id === city,
    'The other showed what had been visited here.',
    'The other did not show what had been visited here!',
  );
  const failure = `${visits} visits were counted as ${counted}!`;
  conclude(counted === visits, 'Each visit was counted once, by one of the two.', failure);
}

/** An update is told to all that run, each of which has something to forget. */
async function showUpdate(...tellers) {
  const path = `/cities/${city}`;
  const { body: before } = await ask(tellers[0], 'GET', path);
  const population = before.population + 2;
  console.log(`\nThe city is updated at ${tellers[0].name}.`);
  await change(tellers[0], population);
  const told = ({ lines }) =>
    lines.find((line) => line.includes(`(${city}) was updated: population ${population}`));
  const isTold = await until(() => tellers.every(told));
  for (const teller of tellers.filter(told)) console.log(`  ${teller.name}  logs that it was updated`);
  conclude(isTold, 'Both were told of the update.', 'Not both were told of the update!');
  await change(tellers[0], before.population);
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

/** Who logs in is in a session that both read. */
async function showSession(first, second) {
  // Of a run of its own, on a Redis that outlives this command.
  const member = { name: `guest-${process.pid}`, password: 'correct horse battery' };
  console.log(`\n${member.name} logs in at ${first.name}.`);
  await ask(first, 'POST', '/members', member);
  const { headers } = await ask(first, 'PUT', '/session', member);
  const [cookie] = headers['set-cookie'][0].split(';');
  const { status, body } = await send(second, 'GET', '/session', undefined, { cookie });
  console.log(`  ${second.name}  GET   /session  ${status === 200 ? body.name : status}`);
  const isKnown = status === 200 && body.name === member.name;
  conclude(isKnown, 'The other knew who it was.', 'The other did not know who it was!');
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
  const fewest = lasts ? 0 : 1;
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

/** @returns whether it came true in time: within ten seconds, unless told otherwise */
async function until(condition, milliseconds = 10_000) {
  const deadline = performance.now() + milliseconds;
  while (!(await condition()) && performance.now() < deadline) await wait(10);
  return Boolean(await condition());
}

/** A client of the live feed, and what has come to it. */
async function openFeed({ url }) {
  const asking = request(`${url}/cities/live`);
  asking.end();
  const [response] = await once(asking, 'response');
  // It is left in the middle.
  response.on('error', () => undefined);
  const views = [];
  createInterface({ input: response }).on('line', (line) => {
    if (line.startsWith('data: ')) views.push(JSON.parse(line.slice('data: '.length)));
  });
  return { views, close: () => response.destroy() };
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
async function send({ url }, method, path, content, more) {
  const headers = { host: 'atlas.example', 'content-type': 'application/json', ...more };
  const asking = request(`${url}${path}`, { method, headers });
  asking.end(content && JSON.stringify(content));
  const [response] = await once(asking, 'response');
  return { status: response.statusCode, headers: response.headers, body: await json(response) };
}

/** Resolves when it takes requests: it then prints its address. */
async function startReplica(name) {
  const replica = spawnAtlas({ ...environment, PORT: '0' }, 'pipe');
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
