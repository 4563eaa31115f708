/** A process of contenders; see contended.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import { subjects } from '../subjects/index.js';
import type { Subject } from '../subjects/subject.js';
import { now, type Grant, type Order, type Report } from './protocol.js';

const resource = 'tour:1';
const held = 2;
/** On average. At always the same time, two contenders would fall into step and never meet. */
const think = 20;

const stopped = new AbortController();
let subject: Subject | undefined;
let contenders: readonly number[] = [];
let running: Promise<Grant[][]> | undefined;

async function contend(locks: Subject, contender: number): Promise<Grant[]> {
  const random = randomNumbers(contender);
  const grants: Grant[] = [];
  while (!stopped.signal.aborted) {
    // Without, who has released it would have it again before the others.
    await wait(think * (0.5 + random()));
    const askedAt = now();
    const lock = await locks.acquire(resource);
    const grantedAt = now();
    await wait(held);
    const releasedAt = now();
    await lock.release();
    grants.push({ askedAt, grantedAt, releasedAt });
  }
  return grants;
}

/** From 0 to 1, always the same for the same seed (a linear congruential generator, with the factors of Numerical Recipes). */
function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 2_654_435_761);
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'open':
      subject = await subjects[order.subject](order.place);
      contenders = order.contenders;
      return report({ kind: 'opened' });
    case 'start':
      running = Promise.all(contenders.map((contender) => contend(subject!, contender)));
      await running;
      return;
    case 'stop':
      stopped.abort();
      report({ kind: 'stopped', grants: (await running!).flat() });
      await subject!.close();
      process.disconnect();
  }
}

function report(message: Report): void {
  process.send!(message);
}

process.on('message', (order: Order) => void obey(order));
// Also where the benchmark has failed.
process.on('disconnect', () => process.exit());
