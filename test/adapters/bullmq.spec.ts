import { describe, expect, it } from '@jest/globals';
import { Queue, QueueEvents } from 'bullmq';
import { getRedisConnectionToken, type RedisConnection, type RedisModuleOptions } from 'rednest';
import { AdapterConfigurationError, bullConnection } from 'rednest/bullmq';
import type { RedisServer } from 'rednest/testing';
import { changePassword, killUser, TestProvider } from '../support/credentials-provider.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { refusals, usersByClient } from '../support/server-view.js';
import { rejection } from '../redis/fixtures/rejection.js';
import { BULL_USER } from './fixtures/bullmq-acl.js';
import { launchJobs, startJobs } from './fixtures/bullmq-application.js';

const opened = new Opened();

function startServer(options: { tls?: boolean } = {}): Promise<RedisServer> {
  return opened.server({ ...options, acl: [BULL_USER] });
}

/** Its data survive a `kill()`. Without users: those of an ACL may not all be there when Redis 7.0 reads its file. */
function startDurable(): Promise<RedisServer> {
  return opened.server({ config: { appendonly: 'yes', appendfsync: 'always' } });
}

const launch = (redis: RedisModuleOptions) => launchJobs(opened, redis);
const start = (redis: RedisModuleOptions) => startJobs(opened, redis);

async function useEverything(queue: Queue): Promise<void> {
  const job = { name: 'import', data: { rows: 1 } };
  await queue.addBulk([job, { ...job, opts: { priority: 2 } }, { ...job, opts: { delay: 50, attempts: 2 } }]);
  await queue.add('import', job.data, { deduplication: { id: 'only' }, jobId: 'known' });
  await queue.upsertJobScheduler('nightly', { pattern: '0 3 * * *' }, job);
  await queue.getJobSchedulers();
  await queue.pause();
  await queue.resume();
  await queue.getJobs();
  await queue.getWorkers();
  await queue.getMetrics('completed');
  await queue.removeJobScheduler('nightly');
  await queue.clean(60_000, 10, 'completed');
}

describe('jobs of BullMQ on a named connection', () => {
  it('are processed with progress over TLS, and leave nothing behind when the application closes', async () => {
    const server = await startServer({ tls: true });
    const { app, log, processor, queue } = await start(server.options);

    const job = await queue.add('import', { rows: 3 });
    await eventually(() => processor.completed.length === 1);

    const done = await queue.getJob(job.id!);
    expect([done?.progress, done?.returnvalue]).toEqual([3, '3 rows']);
    expect(Object.keys(await usersByClient(server))).toContain('rednest:jobs:bullmq');
    expect(await queue.getWorkers()).toHaveLength(1);

    await app.close();
    expect(await usersByClient(server)).toEqual({});
    expect([processor.errors, processor.failed, log.texts()]).toEqual([[], [], []]);
  });

  it('need no more than what the smallest ACL allows', async () => {
    const server = await startServer();
    const { app, processor, queue } = await start(server.options);
    const connection = app.get<RedisConnection>(getRedisConnectionToken('jobs'));
    const events = new QueueEvents('imports', { ...bullConnection(connection), lastEventId: '0' });
    const completed = new Set<string>();
    events.on('completed', ({ jobId }) => completed.add(jobId));
    await useEverything(queue);
    await eventually(() => completed.size === 4 && processor.completed.length === 4);
    await events.close();
    await queue.obliterate({ force: true });
    expect(await refusals(server)).toEqual({});
    expect(processor.errors).toEqual([]);
  });

  it('go on when Redis is killed and started again: none is lost, done twice or taken for failed', async () => {
    const server = await startDurable();
    const { processor, queue } = await start(server.options);
    const running = await queue.add('import', { rows: 10, pace: 50 }, { jobId: 'running' });
    await eventually(() => processor.begun.length === 1);

    await server.kill();
    const added = queue.add('import', { rows: 1 }, { jobId: 'added' });
    await server.restart();

    await added;
    await eventually(() => processor.completed.length === 2, 10_000);
    expect(processor.begun).toEqual(['running', 'added']);
    expect(processor.failed).toEqual([]);
    expect(await queue.getJobCounts('completed', 'failed', 'active', 'waiting')).toEqual({
      completed: 2,
      failed: 0,
      active: 0,
      waiting: 0,
    });
    expect((await queue.getJob(running.id!))?.progress).toBe(10);
  });

  it('are picked up by a worker that was idle when Redis went away', async () => {
    const server = await startDurable();
    const { processor, queue } = await start(server.options);
    await queue.add('import', { rows: 1 });
    await eventually(() => processor.completed.length === 1);

    await server.restart();
    await queue.add('import', { rows: 1 });
    await eventually(() => processor.completed.length === 2, 5_000);
  });

  it('are processed when Redis comes, where it was not there at the start', async () => {
    const server = await startDurable();
    await server.kill();
    const { processor, queue } = await launch({ ...server.options, startup: 'optional' });
    const added = queue.add('import', { rows: 1 });
    await eventually(() => processor.errors.length > 2);

    await server.restart();
    await added;
    await eventually(() => processor.completed.length === 1);
    expect(processor.failed).toEqual([]);
  });

  it('are made by a scheduler again and again', async () => {
    const { processor, queue } = await start((await startServer()).options);
    await queue.upsertJobScheduler('nightly', { every: 100 }, { name: 'import', data: { rows: 1 } });
    await eventually(() => processor.completed.length >= 3);
    expect(await queue.removeJobScheduler('nightly')).toBe(true);
    expect(processor.failed).toEqual([]);
  });

  it('go on with credentials that a callback gives, after the password was changed', async () => {
    const server = await startServer();
    const provider = new TestProvider(server);
    const { username, password, ...rest } = server.options;
    const { processor, queue } = await start({ ...rest, credentials: provider.ask });
    provider.answer = () => ({ username: 'app', password: 'another' });
    await changePassword([server], 'another');
    await killUser([server]);

    await queue.add('import', { rows: 1 });
    await eventually(() => processor.completed.length === 1);
    expect([username, password]).toEqual(['app', 'secret']);
  });

  it('are processed once each by two replicas', async () => {
    const { options } = await startServer();
    const [first, second] = [await start(options), await start(options)];
    const jobs = Array.from({ length: 30 }, () => ({ name: 'import', data: { rows: 1, pace: 5 } }));
    const added = await first.queue.addBulk(jobs);

    const begun = () => [...first.processor.begun, ...second.processor.begun];
    await eventually(async () => (await first.queue.getCompletedCount()) === 30);
    expect(begun().toSorted()).toEqual(added.map(({ id }) => id!).toSorted());
    expect(first.processor.begun.length).toBeGreaterThan(0);
    expect(second.processor.begun.length).toBeGreaterThan(0);
  });
});

describe('bullConnection', () => {
  it("has a queue fail while Redis is away, as the connection's own commands do, with whenUnavailable: 'fail'", async () => {
    const server = await startServer();
    const { connection } = await opened.connection({ ...server.options, maxRetriesPerRequest: 1 });
    const queue = new Queue('imports', bullConnection(connection, { whenUnavailable: 'fail' }));
    queue.on('error', () => {});
    await queue.add('import', { rows: 1 });

    await server.kill();
    const { redisError } = await rejection(queue.add('import', { rows: 1 }));
    expect(redisError?.retryable).toBe(true);
    await queue.close();
  });

  it('names what is wrong with its options', async () => {
    const server = await opened.emptyServer();
    const { connection } = await opened.connection(server.options);
    const wrong = { prefix: '', whenUnavailable: 'never', prefixes: 'a' };
    expect(() => bullConnection(connection.client as never)).toThrow(
      /connection: .* is not a RedisConnection/,
    );
    const call = () => bullConnection(connection, wrong as never);
    expect(call).toThrow(AdapterConfigurationError);
    expect(call).toThrow(/prefix: .*\n.*whenUnavailable: 'never' is not 'wait' or 'fail'/);
  });
});
