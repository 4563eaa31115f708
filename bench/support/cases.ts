import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { lineOf, print, type Goal, type Table } from './report.js';

export type Cases = Readonly<Record<string, () => AsyncGenerator<Table>>>;

/**
 * Runs the cases that the command line names, or all.
 *
 * Each is run by a process of its own, which begins as this one did, with `script`: what the cases before have left on the heap, and
 * taught the compiler, would be measured too.
 */
export async function runCases(script: string, cases: Cases): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !(name in cases));
  if (unknown) throw new Error(`There is no case ${unknown}; there are: ${Object.keys(cases).join(', ')}`);
  if (process.send) {
    process.send(await runCase(cases, wanted[0] ?? ''));
    process.disconnect();
  } else {
    await runAll(script, wanted.length > 0 ? wanted : Object.keys(cases));
  }
}

async function runCase(cases: Cases, name: string): Promise<Goal[]> {
  const goals: Goal[] = [];
  for await (const table of cases[name]?.() ?? []) {
    print(table);
    goals.push(...table.goals.map((goal) => ({ ...goal, text: `${table.title}: ${goal.text}` })));
  }
  return goals;
}

async function runAll(script: string, names: readonly string[]): Promise<void> {
  console.log("Medians of the rounds; a ratio is the median of the rounds' ratios.");
  const goals: Goal[] = [];
  for (const name of names) goals.push(...(await runApart(script, name)));
  const missed = goals.filter(({ met }) => !met);
  console.log(`\n${goals.length - missed.length} of ${goals.length} goals met.`);
  for (const goal of missed) console.log(lineOf(goal));
}

async function runApart(script: string, name: string): Promise<Goal[]> {
  const child = fork(fileURLToPath(script), [name]);
  let goals: Goal[] = [];
  child.on('message', (message) => (goals = message as Goal[]));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) process.exitCode = 1;
  return goals;
}
