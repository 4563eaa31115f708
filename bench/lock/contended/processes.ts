import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { messageOf } from '../../support/child-process.js';
import type { SubjectName } from '../subjects/index.js';
import type { Place } from '../subjects/subject.js';
import type { Grant, Order, Report } from './protocol.js';

const mostProcesses = 4;

/** Contenders for one resource, in up to four processes: a few have one each. */
export class Processes {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async open(subject: SubjectName, place: Place, contenders: number): Promise<Processes> {
    const count = Math.min(contenders, mostProcesses);
    const children = Array.from({ length: count }, () =>
      fork(new URL('./contender.js', import.meta.url), { serialization: 'advanced' }),
    );
    const processes = new Processes(children);
    const numbers = Array.from({ length: contenders }, (_, index) => index);
    await Promise.all(
      children.map((child, index) => {
        const opened = answerOf(child, 'opened');
        send(child, {
          kind: 'open',
          subject,
          place,
          contenders: numbers.filter((number) => number % count === index),
        });
        return opened;
      }),
    );
    return processes;
  }

  start(): void {
    for (const child of this.#children) send(child, { kind: 'start' });
  }

  /** Leaves none of them running. */
  async stop(): Promise<Grant[]> {
    const stopped = this.#children.map(async (child) => {
      const exited = once(child, 'exit');
      const answer = answerOf(child, 'stopped');
      send(child, { kind: 'stop' });
      const { grants } = await answer;
      await exited;
      return grants;
    });
    return (await Promise.all(stopped)).flat();
  }
}

function send(child: ChildProcess, order: Order): void {
  child.send(order);
}

async function answerOf<Kind extends Report['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  const report = (await messageOf(child)) as Report;
  if (report.kind !== kind) throw new Error(`A process of contenders answered ${report.kind}, not ${kind}`);
  return report as Extract<Report, { kind: Kind }>;
}
