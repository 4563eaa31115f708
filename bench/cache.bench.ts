/**
 * The cache beside its peers and beside bare ioredis, on one server in one run; see support/rounds.ts. Names of cases
 * choose some: `npm run bench cache local http`.
 *
 * Each case is run by a process of its own: what the cases before have left on the heap, and taught the compiler, would
 * be measured too.
 */
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { http } from './cache/http/http.js';
import { localHit } from './cache/local-hit.js';
import { missAndStore } from './cache/miss.js';
import { getMany, redisHit, sequentialHit } from './cache/redis-hit.js';
import { lineOf, print, type Goal, type Table } from './cache/report.js';
import { tagInvalidation } from './cache/tags.js';

const cases: Record<string, () => AsyncGenerator<Table>> = {
  local: localHit,
  hits: redisHit,
  sequential: sequentialHit,
  many: getMany,
  tags: tagInvalidation,
  miss: missAndStore,
  http,
};

async function runCase(name: string): Promise<Goal[]> {
  const goals: Goal[] = [];
  for await (const table of cases[name]?.() ?? []) {
    print(table);
    goals.push(...table.goals.map((goal) => ({ ...goal, text: `${table.title}: ${goal.text}` })));
  }
  return goals;
}

async function runApart(name: string): Promise<Goal[]> {
  const child = fork(fileURLToPath(import.meta.url), [name]);
  let goals: Goal[] = [];
  child.on('message', (message) => (goals = message as Goal[]));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) process.exitCode = 1;
  return goals;
}

async function runAll(names: readonly string[]): Promise<void> {
  console.log("Medians of the rounds; a ratio is the median of the rounds' ratios.");
  const goals: Goal[] = [];
  for (const name of names) goals.push(...(await runApart(name)));
  const missed = goals.filter(({ met }) => !met);
  console.log(`\n${goals.length - missed.length} of ${goals.length} goals met.`);
  for (const goal of missed) console.log(lineOf(goal));
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in cases));
if (unknown) throw new Error(`There is no case ${unknown}; there are: ${Object.keys(cases).join(', ')}`);
if (process.send) {
  process.send(await runCase(wanted[0] ?? ''));
  process.disconnect();
} else {
  await runAll(wanted.length > 0 ? wanted : Object.keys(cases));
}
