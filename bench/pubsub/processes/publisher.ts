/** The process that publishes; see pair.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import { runInFlight } from '../../support/in-flight.js';
import { subjects } from '../subjects/index.js';
import type { Publisher } from '../subjects/subject.js';
import { clock, viewOf } from '../view.js';
import type { Answer, PublisherOrder } from './protocol.js';

let publisher: Publisher | undefined;

async function obey(order: PublisherOrder): Promise<Answer> {
  switch (order.kind) {
    case 'open':
      publisher = await subjects[order.subject].openPublisher(order.place);
      return { kind: 'done' };
    case 'publish':
      return measured(() =>
        runInFlight(order.messages, order.inFlight, (index) => publisher!.publish(viewOf(index))),
      );
    case 'drip':
      return measured(() => drip(order.messages, order.pause));
  }
}

async function measured(work: () => Promise<void>): Promise<Answer> {
  const before = process.cpuUsage();
  const beganAt = clock();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { kind: 'published', beganAt, processor: user + system };
}

async function drip(messages: number, pause: number): Promise<void> {
  for (let index = 0; index < messages; index++) {
    await publisher!.publish(viewOf(index));
    await wait(pause);
  }
}

process.on('message', (order: PublisherOrder) => void obey(order).then((answer) => process.send!(answer)));
process.on('disconnect', () => process.exit());
