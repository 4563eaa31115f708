/** The process with the handlers; see pair.ts. */
import { subjects } from '../subjects/index.js';
import type { Subscription } from '../subjects/subject.js';
import type { ConsumerOrder } from './protocol.js';
import { Tally } from './tally.js';

const tally = new Tally();
let begin: () => Promise<Subscription>;
let subscription: Subscription | undefined;

async function obey(order: ConsumerOrder): Promise<void> {
  switch (order.kind) {
    case 'open': {
      const { subject, place } = order;
      const handlers = tally.handlers(order.handlers);
      begin = () => subjects[subject].subscribe(place, handlers);
      break;
    }
    case 'subscribe':
      subscription = await begin();
      break;
    case 'end':
      await subscription?.end();
      break;
    case 'expect': {
      const received = tally.expect(order.messages, order.since);
      void received.then((figures) => process.send!({ kind: 'received', ...figures }));
    }
  }
  process.send!({ kind: 'done' });
}

process.on('message', (order: ConsumerOrder) => void obey(order));
process.on('disconnect', () => process.exit());
