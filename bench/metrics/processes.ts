import { fork } from 'node:child_process';
import { messageOf } from '../support/child-process.js';
import { timesAsFast, type Table } from '../support/report.js';
import { takeTurns } from '../support/rounds.js';
import type { WorkloadName } from './workloads.js';

const rounds = 41;

/** Of a turn, which takes some hundred milliseconds. */
const operations: Readonly<Record<WorkloadName, number>> = { local: 500_000, hits: 30_000, get: 30_000 };

/** Which part of the throughput is to be left. */
const goal = 0.95;

/**
 * The same work with metrics and without, each in a process of its own: channels are the process's, and what is told on them for one
 * application is made for all. A rate is by the processor time of the process, which is what metrics cost, and which other work of the
 * machine changes little.
 */
export async function* compareProcesses(title: string, workload: WorkloadName): AsyncGenerator<Table> {
  const open = async (metrics: 'with' | 'without') => {
    const child = fork(new URL('./worker.js', import.meta.url), [workload, metrics]);
    await messageOf(child);
    const measure = async (): Promise<number> => {
      child.send(operations[workload]);
      return (operations[workload] * 1_000_000) / Number(await messageOf(child));
    };
    return { name: `${metrics} metrics`, measure, close: () => child.disconnect() };
  };
  const contenders = [await open('with'), await open('without')];
  try {
    const measured = await takeTurns(contenders, rounds);
    yield { title, measured, goals: [timesAsFast(measured, 'without metrics', goal, 'with metrics')] };
  } finally {
    for (const { close } of contenders) close();
  }
}
