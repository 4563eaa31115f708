import 'reflect-metadata';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { lockChannel, Locked, LockModule, LockService, LockTimeoutError, RedisModule } from 'rednest';
import type { LockEvents } from 'rednest';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

@Injectable()
class Job {
  @Locked({ key: 'job', onContention: 'skip' })
  async skip(): Promise<string | undefined> {
    return 'done';
  }

  @Locked({ key: 'job', onContention: 'skip', wait: '0s' })
  async skipAtOnce(): Promise<string | undefined> {
    return 'done';
  }

  @Locked({ key: 'job', onContention: 'skip', wait: '50ms' })
  async skipLater(): Promise<string | undefined> {
    return 'done';
  }

  @Locked({ key: 'job', wait: 0, status: 409 })
  async conflict(): Promise<string> {
    return 'done';
  }
}

const opened = new Opened();
const failures: LockEvents['failed'][] = [];
const receive = (event: unknown): void => void failures.push(event as LockEvents['failed']);

afterEach(() => {
  unsubscribe(lockChannel('failed'), receive);
  failures.length = 0;
});

async function start() {
  const server = await opened.server({});
  const { app } = await startApplication([RedisModule.forRoot(server.options), LockModule.forRoot()], [Job]);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  subscribe(lockChannel('failed'), receive);
  return { job: app.get(Job), locks: app.get(LockService) };
}

describe('the event of a failure', () => {
  it('is none where a call is skipped at once', async () => {
    const { job, locks } = await start();
    expect([await job.skip(), await job.skipAtOnce()]).toEqual(['done', 'done']);
    await using _ = await locks.acquire('job');
    expect([await job.skip(), await job.skipAtOnce()]).toEqual([undefined, undefined]);
    expect(failures).toEqual([]);
  });

  it('tells of a call that was skipped after it had waited', async () => {
    const { job, locks } = await start();
    await using _ = await locks.acquire('job');
    expect(await job.skipLater()).toBeUndefined();
    expect(failures).toMatchObject([{ resource: 'job', error: { code: 'LOCK_TIMEOUT' } }]);
  });

  it('has the error that the caller gets, whatever its status', async () => {
    const { job, locks } = await start();
    await using _ = await locks.acquire('job');
    const error = await job.conflict().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({ statusCode: 409 });
    expect(failures.map((event) => event.error)).toEqual([error]);
    expect(failures[0]!.error).toBe(error);
  });
});
