import { describe, expect, it } from '@jest/globals';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients, refusals } from '../support/server-view.js';
import { listen, listeningUser } from './fixtures/coherence.js';

const opened = new Opened();

const KEY = 'app:cache:e:default:a';

const start = () => opened.server({ acl: [listeningUser('+ping +time')] });

describe('pubsub', () => {
  it('tells the other processes of what one announces, and not itself', async () => {
    const server = await start();
    const [first, second, third] = await Promise.all([
      listen(opened, server.options, 'pubsub'),
      listen(opened, server.options, 'pubsub'),
      listen(opened, server.options, 'pubsub'),
    ]);
    first.coherence.announce([KEY, 'app:cache:t:Zürich']);
    for (const { events } of [second, third])
      await eventually(() => events.count(KEY) === 1 && events.count('app:cache:t:Zürich') === 1);
    expect(first.events.keys).toEqual([]);
    expect(second.events.reasons).toEqual(['listener armed']);
    expect(second.coherence).toMatchObject({ mode: 'pubsub', armed: true });
  });

  it('sends one message for what is announced in one turn of the event loop', async () => {
    const server = await start();
    const { coherence } = await listen(opened, server.options, 'pubsub');
    const messages: string[] = [];
    const observer = (await server.admin()).duplicate();
    opened.add({ [Symbol.asyncDispose]: async () => observer.disconnect() });
    await observer.subscribe('app:cache:changed');
    observer.on('message', (_: string, message: string) => messages.push(message));
    for (let index = 0; index < 100; index++) coherence.announce([`${KEY}:${index % 50}`]);
    await eventually(() => messages.length === 1);
    const [, keys] = JSON.parse(messages[0]!) as [string, string[]];
    expect(keys).toHaveLength(50);
  });

  it('has the others begin another epoch when more keys have changed than are worth telling', async () => {
    const server = await start();
    const first = await listen(opened, server.options, 'pubsub');
    const second = await listen(opened, server.options, 'pubsub');
    first.coherence.announce(Array.from({ length: 10_001 }, (_, index) => `${KEY}:${index}`));
    await eventually(() => second.events.reasons.includes('flushed'));
    expect(second.events.keys).toEqual([]);
  });

  it('takes a message that it does not understand for the news that anything may have changed', async () => {
    const server = await start();
    const { events, coherence } = await listen(opened, server.options, 'pubsub');
    const { epoch } = coherence.shardOf(0);
    const admin = await server.admin();
    for (const message of ['', 'null', '{}', '["somebody"]', '["somebody",{"v":2}]'])
      await admin.publish('app:cache:changed', message);
    await eventually(() => events.reasons.filter((reason) => reason === 'flushed').length === 5);
    expect(coherence.shardOf(0).epoch).not.toBe(epoch);
  });

  it('begins another epoch when messages may have been missed', async () => {
    const server = await start();
    const first = await listen(opened, server.options, 'pubsub');
    const second = await listen(opened, server.options, 'pubsub');
    second.events.clear();
    await killClients(server, ':listener');
    await eventually(() => second.events.losses.length === 2);
    expect(second.events.reasons).toEqual(['listener lost', 'listener armed']);
    await eventually(() => first.coherence.armed);
    first.coherence.announce([KEY]);
    await eventually(() => second.events.count(KEY) === 1);
    expect(await refusals(server)).toEqual({});
  });

  it('sends what was announced while Redis was away when it is back', async () => {
    const server = await start();
    const proxy = opened.add(await FaultProxy.start(server));
    const options = { ...proxy.optionsFor(server.options), maxRetriesPerRequest: 0 };
    const first = await listen(opened, options, 'pubsub');
    const second = await listen(opened, server.options, 'pubsub');
    proxy.refuse();
    proxy.cut();
    await eventually(() => !first.coherence.armed);
    first.coherence.announce([KEY]);
    await eventually(() => first.connection.state === 'reconnecting');
    expect(second.events.keys).toEqual([]);
    await proxy.restore();
    await eventually(() => second.events.count(KEY) === 1);
  });

  it('announces what it was told before it is stopped', async () => {
    const server = await start();
    const first = await listen(opened, server.options, 'pubsub');
    const second = await listen(opened, server.options, 'pubsub');
    first.coherence.announce([KEY]);
    await first.coherence.stop();
    await first.connection.close();
    await eventually(() => second.events.count(KEY) === 1);
    first.coherence.announce([KEY]);
  });
});
