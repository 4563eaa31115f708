import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, Module, Scope } from '@nestjs/common';
import {
  ContextIdFactory,
  REQUEST,
  type ContextId,
  type ContextIdStrategy,
  type HostComponentInfo,
} from '@nestjs/core';
import { EventContext, Subscribe, type EventGap } from 'rednest';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CacheFilled, CityViewed } from './fixtures/handled.js';

const applications = new BusApplications();

@Injectable({ scope: Scope.REQUEST })
class Request {
  constructor(@Inject(REQUEST) readonly context: EventContext) {}
}

interface Seen {
  instance: object;
  event: CacheFilled;
  context: EventContext;
  request: unknown;
}

let seen: Seen[] = [];
afterEach(() => {
  seen = [];
});

/** Two instances, each with its event's context as the request. */
function expectInstanceForEach(): void {
  expect(new Set(seen.map(({ event }) => event.entries))).toEqual(new Set([1, 2]));
  expect(new Set(seen.map(({ instance }) => instance)).size).toBe(2);
  for (const { context, request } of seen) {
    expect(context).toBeInstanceOf(EventContext);
    expect(request).toBe(context);
  }
}

async function publishTwo({ bus }: Awaited<ReturnType<BusApplications['start']>>): Promise<void> {
  for (const entries of [1, 2]) await bus.publish(new CacheFilled(entries));
  await eventually(() => expect(seen).toHaveLength(2));
}

describe('handlers get an instance for each event', () => {
  it('where they are request-scoped', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Handlers {
      constructor(@Inject(REQUEST) private readonly request: unknown) {}

      @Subscribe(CacheFilled)
      async handle(event: CacheFilled, context: EventContext): Promise<void> {
        seen.push({ instance: this, event, context, request: this.request });
      }
    }
    const alias = { provide: 'alias', useExisting: Handlers };
    await publishTwo(await applications.start([Handlers, alias]));
    expectInstanceForEach();
  });

  it('where something in their tree is, by whatever token, in a module of their own', async () => {
    @Injectable()
    class Handlers {
      constructor(private readonly request: Request) {}

      @Subscribe(CacheFilled)
      handle(event: CacheFilled, context: EventContext): void {
        seen.push({ instance: this, event, context, request: this.request.context });
      }
    }
    @Module({ providers: [Request, { provide: 'handlers', useClass: Handlers }] })
    class Feature {}
    @Module({ providers: [{ provide: 'handlers', useValue: {} }] })
    class Other {}
    await publishTwo(await applications.start([], { imports: [Feature, Other] }));
    expectInstanceForEach();
  });

  it('where they are controllers', async () => {
    @Controller()
    class Handlers {
      constructor(private readonly request: Request) {}

      @Subscribe(CacheFilled)
      handle(event: CacheFilled, context: EventContext): void {
        seen.push({ instance: this, event, context, request: this.request.context });
      }
    }
    @Module({ providers: [Request], controllers: [Handlers] })
    class Feature {}
    await publishTwo(await applications.start([], { imports: [Feature] }));
    expectInstanceForEach();
  });

  it('where they are transient', async () => {
    @Injectable()
    class Dependency {}
    @Injectable({ scope: Scope.TRANSIENT })
    class Handlers {
      constructor(private readonly dependency: Dependency) {}

      @Subscribe(CacheFilled)
      handle(event: CacheFilled, context: EventContext): void {
        expect(this.dependency).toBeInstanceOf(Dependency);
        seen.push({ instance: this, event, context, request: context });
      }
    }
    await publishTwo(await applications.start([Handlers, Dependency]));
    expectInstanceForEach();
  });
});

it('what cannot be built is a failure of the handler, which is tried again', async () => {
  let attempts = 0;
  @Injectable({ scope: Scope.REQUEST })
  class Handlers {
    constructor(@Inject(REQUEST) { attempt }: EventContext) {
      attempts = attempt;
      if (attempt === 1) throw new Error('no tenant');
    }

    @Subscribe(CityViewed, { group: 'ranking', retries: 1, backoff: { initial: 10 } })
    handle(): void {}
  }
  const { bus, log } = await applications.start([Handlers]);
  await bus.publish(new CityViewed(1));
  await eventually(() => expect(attempts).toBe(2), 10_000);
  expect(log.texts('PubSubModule')).toContainEqual(
    expect.stringMatching(/^Handlers\.handle failed to handle 'city\.viewed'/),
  );
});

it('is told of a gap on an instance of its own', async () => {
  const gaps: unknown[] = [];
  let go = (): void => undefined;
  @Injectable({ scope: Scope.REQUEST })
  class Handlers {
    constructor(@Inject(REQUEST) private readonly request: unknown) {}

    @Subscribe(CacheFilled, { buffer: 1, concurrency: 1, onGap: 'missed' })
    handle(): Promise<void> {
      return new Promise((resolve) => (go = resolve));
    }

    missed(gap: EventGap): void {
      gaps.push(gap, this.request);
    }
  }
  const { bus } = await applications.start([Handlers], { options: { shutdownTimeout: 50 } });
  await bus.publish(new CacheFilled(1));
  await eventually(() => go());
  for (const entries of [2, 3, 4]) await bus.publish(new CacheFilled(entries));
  await eventually(() => {
    go();
    expect(gaps[0]).toMatchObject({ reason: 'overflow' });
  });
  expect(gaps[1]).toBe(gaps[0]);
});

describe('durable providers', () => {
  const tenants = new Map<string, ContextId>();

  class ByKey implements ContextIdStrategy {
    attach(contextId: ContextId, { key = '' }: EventContext) {
      const tenant = tenants.get(key) ?? { id: tenants.size };
      tenants.set(key, tenant);
      return {
        resolve: (info: HostComponentInfo) => (info.isTreeDurable ? tenant : contextId),
        payload: { tenant: key },
      };
    }
  }

  afterEach(() => ContextIdFactory.apply(undefined as unknown as ContextIdStrategy));

  it('have an instance for each context that the strategy makes of events', async () => {
    ContextIdFactory.apply(new ByKey());
    const handled: [object, unknown][] = [];
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Handlers {
      constructor(@Inject(REQUEST) private readonly payload: unknown) {}

      @Subscribe('tenant.filled')
      handle(): void {
        handled.push([this, this.payload]);
      }
    }
    const topics = { 'tenant.filled': { delivery: 'local' } } as const;
    const { bus } = await applications.start([Handlers], { options: { topics } });
    for (const key of ['a', 'b', 'a']) await bus.publish('tenant.filled', 1, { key });
    await eventually(() => expect(handled).toHaveLength(3));
    expect(handled.map(([, payload]) => payload)).toEqual(
      expect.arrayContaining([{ tenant: 'a' }, { tenant: 'b' }]),
    );
    expect(new Set(handled.map(([instance]) => instance)).size).toBe(2);
  });
});
