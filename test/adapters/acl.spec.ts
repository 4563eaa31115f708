import { expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { bullConnection } from 'rednest/bullmq';
import { RedisSessionStore } from 'rednest/session';
import { RedisThrottlerStorage } from 'rednest/throttler';
import { adapterAcl, guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';

const opened = new Opened();

it('the smallest ACLs of the adapters can be put together, for one connection', async () => {
  const rules = [guideAcl(), adapterAcl('job queues'), adapterAcl('sessions'), adapterAcl('rate limits')];
  const server = await opened.server({ acl: [`app on >secret ${rules.join(' ')}`] });
  const { connection } = await opened.connection(server.options);

  const store = new RedisSessionStore(connection);
  await new Promise((resolve) => store.set('a', { cookie: { originalMaxAge: null } }, resolve));
  expect(await new Promise((resolve) => store.length((_, length) => resolve(length)))).toBe(1);
  const { totalHits } = await new RedisThrottlerStorage(connection).increment('a', 1_000, 1, 0, 'default');
  expect(totalHits).toBe(1);
  const queue = new Queue('mails', bullConnection(connection));
  await queue.add('mail', {});
  expect(await queue.getWaitingCount()).toBe(1);
  await queue.close();
  expect(await refusals(server)).toEqual({});
});
