import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { RedisHealthModuleOptions } from 'rednest/health';
import { Opened } from '../support/opened.js';
import { startHealth, stateOf } from './fixtures/health-application.js';

const opened = new Opened();

@Injectable()
class Disk {
  status: 'up' | 'down' = 'up';
  // As a property: nothing shows of the class that it is an indicator.
  check = (): HealthIndicatorResult => ({ disk: { status: this.status, path: '/secret' } });
}

const UP: HealthIndicatorResult = { queue: { status: 'up' } };

async function start(health: RedisHealthModuleOptions, disk?: Disk) {
  const redis = (await opened.emptyServer()).options;
  const providers = disk ? [{ provide: Disk, useValue: disk }] : [];
  return startHealth(opened, { redis, health, providers });
}

describe("an application's own indicators", () => {
  it('are asked by each probe, and what they throw is told in the log once', async () => {
    const disk = new Disk();
    let failure: Error | undefined;
    const queue = async (): Promise<HealthIndicatorResult> => {
      if (failure) throw failure;
      return UP;
    };
    const { ready, log } = await start({ indicators: [Disk, queue] }, disk);
    expect((await ready()).body.details).toMatchObject({ disk: { status: 'up' }, queue: { status: 'up' } });
    failure = new Error('password is hunter2');
    const failing = [await ready(), await ready()];
    for (const answer of failing) {
      expect(answer).toMatchObject({
        status: 503,
        body: { error: { queue: { status: 'down', code: 'INDICATOR_FAILED' } } },
      });
      expect(answer.text).not.toContain('hunter2');
    }
    failure = undefined;
    disk.status = 'down';
    expect((await ready()).status).toBe(503);
    expect(log.texts('RedisHealthModule')).toEqual([
      "The indicator 'queue' has failed",
      'Not ready: queue INDICATOR_FAILED',
    ]);
  });

  it('are down while they do not answer, and asked once meanwhile', async () => {
    let asked = 0;
    let answer: (result: HealthIndicatorResult) => void = () => undefined;
    const queue = (): Promise<HealthIndicatorResult> => {
      asked++;
      return new Promise((resolve) => (answer = resolve));
    };
    const { ready } = await start({ indicators: [queue], timeout: 200 });
    for (const result of await Promise.all([ready(), ready(), ready()]))
      expect(result).toMatchObject({
        status: 503,
        body: { error: { queue: { status: 'down', code: 'INDICATOR_TIMEOUT' } } },
      });
    expect((await ready()).status).toBe(503);
    expect(asked).toBe(1);
    answer(UP);
    const next = ready();
    const answering = setInterval(() => answer(UP), 20);
    expect((await next).status).toBe(200);
    clearInterval(answering);
  });

  it('are down where they give what is no result, by their place where they have no name', async () => {
    const results: unknown[] = [undefined, { queue: 'up' }, { queue: { status: 'fine' } }];
    const { ready } = await start({ indicators: [async () => results.shift() as never] });
    while (results.length > 0)
      expect(await ready()).toMatchObject({
        status: 503,
        body: { error: { 'indicators[0]': { status: 'down', code: 'INDICATOR_FAILED' } } },
      });
  });

  it('are degraded where they say so, and the application is ready', async () => {
    const queue = () => ({ queue: { status: 'degraded', code: 'QUEUE_LONG', length: 7 } }) as never;
    const { ready, log } = await start({ indicators: [queue] });
    const { status, body } = await ready();
    expect(status).toBe(200);
    expect(stateOf(body.details['queue'])).toBe('degraded');
    expect(body.details['queue']).toMatchObject({ code: 'QUEUE_LONG', length: 7 });
    expect(log.texts('RedisHealthModule')).toEqual(['Degraded, but ready: queue QUEUE_LONG']);
    const cut = (await (await start({ indicators: [queue], details: false })).ready()).body.details['queue'];
    expect(stateOf(cut)).toBe('degraded');
    expect(cut).not.toHaveProperty('length');
  });

  it('show what they tell, and without details a status and a code', async () => {
    // As terminus 11 has them throw.
    const queue = () =>
      Promise.reject(
        Object.assign(new Error('away'), {
          causes: { queue: { status: 'down', code: 'QUEUE_AWAY', message: 'at 10.0.0.1' } },
        }),
      );
    const indicators = [Disk, queue];
    const shown = await (await start({ indicators }, new Disk())).ready();
    expect(shown.body.details).toMatchObject({
      disk: { status: 'up', path: '/secret' },
      queue: { status: 'down', code: 'QUEUE_AWAY', message: 'at 10.0.0.1' },
    });
    const cut = await (await start({ indicators, details: false }, new Disk())).ready();
    expect(cut.body.details).toEqual({
      redis: { status: 'up' },
      disk: { status: 'up' },
      queue: { status: 'down', code: 'QUEUE_AWAY' },
    });
  });
});
