import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { EventBus, EventBusClosedError, Subscribe, type EventContext } from 'rednest';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CacheFilled, CityUpdated, CityViewed } from './fixtures/handled.js';

const applications = new BusApplications();

describe('at shutdown', () => {
  it('handlers end before any module is destroyed; publishing works until the connections close', async () => {
    const order: string[] = [];
    const outcomes: unknown[] = [];
    @Injectable()
    class Slow {
      @Subscribe(CacheFilled)
      async local({ entries }: CacheFilled): Promise<void> {
        order.push(`begun ${entries}`);
        await sleep(100);
        order.push(`done ${entries}`);
      }
    }
    @Injectable()
    class Destroyed implements OnModuleDestroy, OnApplicationShutdown {
      constructor(private readonly bus: EventBus) {}

      async onModuleDestroy(): Promise<void> {
        order.push('destroyed');
        await this.bus.publish(new CacheFilled(9));
        outcomes.push(
          await this.bus.subscribe(CacheFilled, () => undefined).catch((error: unknown) => error),
        );
      }

      async onApplicationShutdown(): Promise<void> {
        outcomes.push(await this.bus.publish(new CityViewed(1)), await this.bus.publish(new CityUpdated(1)));
      }
    }
    @Global()
    @Module({ providers: [Destroyed] })
    class GlobalModule {}
    @Module({ providers: [Destroyed] })
    class Inner {}
    const { close, bus } = await applications.start([Slow, Destroyed], { imports: [Inner, GlobalModule] });
    await bus.publish(new CacheFilled(1));
    await close();
    expect(order).toEqual(['begun 1', 'done 1', 'destroyed', 'destroyed', 'destroyed']);
    const closed = outcomes.filter((each) => each instanceof EventBusClosedError);
    const published = outcomes.filter((each) => !(each instanceof EventBusClosedError));
    expect(closed).toHaveLength(3);
    expect(published).toEqual(Array.from({ length: 6 }, () => ({ id: expect.any(String) })));
    for (const event of [new CacheFilled(1), new CityUpdated(1), new CityViewed(1)])
      await expect(bus.publish(event)).rejects.toBeInstanceOf(EventBusClosedError);
  });

  it('what is not done in time is told to end, and a group leaves it to others', async () => {
    const reasons: unknown[] = [];
    const begun: number[] = [];
    const done: number[] = [];
    let isFirst = true;
    @Injectable()
    class Stuck {
      @Subscribe(CityViewed, { group: 'ranking' })
      async viewed({ city }: CityViewed, { signal }: EventContext): Promise<void> {
        begun.push(city);
        if (isFirst) await once(signal, 'abort');
        else done.push(city);
        signal.throwIfAborted();
      }

      @Subscribe(CacheFilled)
      async filled(_: CacheFilled, { signal }: EventContext): Promise<void> {
        begun.push(0);
        await once(signal, 'abort');
        reasons.push(signal.reason);
      }
    }
    const options = { shutdownTimeout: 200, lease: '5s' } as const;
    const first = await applications.start([Stuck], { options });
    await first.bus.publish(new CacheFilled(1));
    await first.bus.publish(new CityViewed(7));
    await eventually(() => expect(new Set(begun)).toEqual(new Set([0, 7])), 10_000);
    await first.close();
    isFirst = false;
    expect(reasons).toEqual([expect.any(EventBusClosedError)]);
    await applications.start([Stuck], { options });
    await eventually(() => expect(done).toEqual([7]), 15_000);
  });

  it('waits for nothing where nothing runs, and twice is once', async () => {
    @Injectable()
    class Idle {
      @Subscribe(CityViewed, { group: 'ranking' })
      @Subscribe(CityUpdated)
      @Subscribe('city.*')
      handle(): void {}
    }
    const { app } = await applications.start([Idle], { options: { shutdownTimeout: '1h' } });
    await Promise.all([app.close(), app.close()]);
  });
});

it('the process ends by itself, and leaves the group', async () => {
  const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const { namespace, server } = applications;
  const child = spawn(
    process.execPath,
    [
      '--unhandled-rejections=strict',
      '--import',
      pathOf('../redis/fixtures/typescript.mjs'),
      pathOf('fixtures/leaving.ts'),
      JSON.stringify([server.options, namespace]),
    ],
    { env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }, stdio: 'pipe' },
  );
  try {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ended = once(child, 'close');
    await eventually(() => expect(output).toMatch('handling'), 15_000);
    child.kill('SIGTERM');
    const [code, signal] = (await ended) as [number | null, string | null];
    expect({ code, signal, output }).toEqual({ code: 0, signal: null, output: 'handling\naborted\n' });
    const admin = await server.admin();
    expect(await admin.zcard(`${namespace}:{city.viewed}:group:ranking:members`)).toBe(0);
    expect(await admin.hlen(`${namespace}:{city.viewed}:group:ranking:owners`)).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
