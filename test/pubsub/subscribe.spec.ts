import 'reflect-metadata';
import { describe, expect, it, jest } from '@jest/globals';
import { Controller, Injectable, Module, SetMetadata } from '@nestjs/common';
import {
  EventContext,
  PubSubConfigurationError,
  Subscribe,
  type EventGap,
  type SubscribeOptions,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { startApplication } from '../support/redis-application.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CacheFilled, CityUpdated, CityViewed } from './fixtures/handled.js';

const applications = new BusApplications();

async function problemsOf(...providers: (new () => object)[]): Promise<PubSubConfigurationError> {
  const starting = startApplication([applications.redis(), applications.pubsub()], providers);
  const error: unknown = await starting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PubSubConfigurationError);
  return error as PubSubConfigurationError;
}

describe('@Subscribe', () => {
  it('gives events of each delivery to the method, with the context', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Handlers {
      readonly name = 'handlers';

      @Subscribe(CityViewed, { group: 'ranking' })
      viewed(event: CityViewed, { delivery, group, topic }: EventContext): void {
        seen.push([this.name, event, delivery, group, topic]);
      }

      @Subscribe(CityUpdated)
      async updated(event: CityUpdated, context: EventContext): Promise<void> {
        expect(context).toBeInstanceOf(EventContext);
        seen.push([this.name, event, context.delivery, context.id]);
      }

      @Subscribe(CacheFilled)
      filled(event: CacheFilled, { isOwn }: EventContext): void {
        seen.push([this.name, event, isOwn]);
      }
    }
    const { bus } = await applications.start([Handlers]);
    await bus.publish(new CityViewed(1));
    const { id } = await bus.publish(CityUpdated, { city: 2 });
    await bus.publish(new CacheFilled(3));
    await eventually(() => expect(seen).toHaveLength(3), 10_000);
    expect(seen).toEqual(
      expect.arrayContaining([
        ['handlers', new CityViewed(1), 'durable', 'ranking', 'city.viewed'],
        ['handlers', new CityUpdated(2), 'broadcast', id],
        ['handlers', new CacheFilled(3), true],
      ]),
    );
    expect(seen.map((each) => (each as unknown[])[1])).toContainEqual(expect.any(CityUpdated));
  });

  it('goes on controllers, on topics and patterns, several times on a method', async () => {
    const seen: unknown[] = [];
    @Controller()
    class Handlers {
      @Subscribe('city.*')
      @Subscribe('country.renamed')
      @Subscribe(CityViewed, { delivery: 'broadcast' })
      any(event: unknown, { topic }: EventContext): void {
        seen.push([topic, event]);
      }
    }
    @Module({ controllers: [Handlers] })
    class Feature {}
    const { bus } = await applications.start([], { imports: [Feature] });
    await bus.publish('city.renamed', { name: 'Weimar' });
    await bus.publish('country.renamed', null);
    await bus.publish(new CityViewed(1));
    await bus.publish('region.renamed', 1);
    await eventually(() => expect(seen).toHaveLength(3), 10_000);
    expect(seen).toEqual(
      expect.arrayContaining([
        ['city.renamed', { name: 'Weimar' }],
        ['country.renamed', null],
        ['city.viewed', new CityViewed(1)],
      ]),
    );
  });

  it('gives patterns what does not leave the process, too', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Handlers {
      @Subscribe('cache.*')
      any(event: unknown): void {
        seen.push(event);
      }
    }
    const { bus } = await applications.start([Handlers]);
    await bus.publish(new CacheFilled(1));
    expect(seen).toEqual([new CacheFilled(1)]);
  });

  it('is inherited; what overrides it handles events if it has the decorator, too', async () => {
    const seen: string[] = [];
    class Base {
      @Subscribe(CacheFilled)
      inherited(): void {
        seen.push(`${this.constructor.name} inherited`);
      }

      @Subscribe(CacheFilled)
      decorated(): void {
        seen.push('Base decorated');
      }

      @Subscribe(CacheFilled)
      bare(): void {
        seen.push('Base bare');
      }
    }
    @Injectable()
    class Child extends Base {
      @Subscribe(CacheFilled)
      override decorated(): void {
        seen.push('Child decorated');
      }

      override bare(): void {
        seen.push('Child bare');
      }
    }
    const { bus } = await applications.start([Child]);
    await bus.publish(new CacheFilled(1));
    expect(seen.toSorted()).toEqual(['Child decorated', 'Child inherited']);
  });

  it('subscribes an instance once, by whatever tokens it is known', async () => {
    const seen: object[] = [];
    @Injectable()
    class Handlers {
      @Subscribe(CacheFilled)
      handle(): void {
        seen.push(this);
      }
    }
    const given = new Handlers();
    @Module({
      providers: [
        Handlers,
        { provide: 'alias', useExisting: Handlers },
        { provide: 'made', useFactory: (handlers: Handlers) => handlers, inject: [Handlers] },
        { provide: 'given', useValue: given },
        { provide: 'nothing', useValue: null },
        { provide: 'text', useValue: 'text' },
        { provide: 'bare', useValue: Object.create(null) as object },
      ],
      exports: [Handlers, 'alias'],
    })
    class Feature {}
    @Module({ imports: [Feature], exports: [Feature] })
    class Other {}
    const { app, bus } = await applications.start([], { imports: [Feature, Other] });
    await bus.publish(new CacheFilled(1));
    expect(seen).toEqual([app.get(Handlers, { strict: false }), given]);
  });

  it('leaves metadata and method as they are, whatever stands around it', async () => {
    const report = ({ entries }: CacheFilled): number => entries;
    class Handlers {
      @SetMetadata('above', 1)
      @Subscribe(CacheFilled)
      @SetMetadata('below', 2)
      handle(event: CacheFilled): number {
        return report(event);
      }
    }
    const handle = Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle')?.value as typeof report;
    expect([Reflect.getMetadata('above', handle), Reflect.getMetadata('below', handle)]).toEqual([1, 2]);
    expect([handle.name, handle(new CacheFilled(7))]).toEqual(['handle', 7]);
  });

  it('calls what is spied on', async () => {
    @Injectable()
    class Handlers {
      @Subscribe(CacheFilled)
      handle(): void {}
    }
    const { app, bus } = await applications.start([Handlers]);
    const spy = jest.spyOn(app.get(Handlers), 'handle');
    await bus.publish(new CacheFilled(1));
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it('has failures logged by class and method, and counted', async () => {
    @Injectable()
    class Handlers {
      @Subscribe(CacheFilled)
      handle(): void {
        throw new Error('no disk');
      }
    }
    const { bus, log } = await applications.start([Handlers]);
    const { id } = await bus.publish(new CacheFilled(1));
    expect(log.texts('PubSubModule')).toEqual([`Handlers.handle failed to handle 'cache.filled' ${id}`]);
    expect(bus.counts).toMatchObject({ published: 1, handled: 0, failed: 1 });
    expect(await bus.stats()).toMatchObject(bus.counts);
  });

  it('tells a method of the class of gaps', async () => {
    const gaps: EventGap[] = [];
    let go = (): void => undefined;
    @Injectable()
    class Handlers {
      @Subscribe(CacheFilled, { buffer: 1, concurrency: 1, onGap: 'missed' })
      handle(): Promise<void> {
        return new Promise((resolve) => (go = resolve));
      }

      missed(gap: EventGap): void {
        expect(this).toBeInstanceOf(Handlers);
        gaps.push(gap);
      }
    }
    const { bus } = await applications.start([Handlers], { options: { shutdownTimeout: 50 } });
    for (const entries of [1, 2, 3]) await bus.publish(new CacheFilled(entries));
    go();
    await eventually(() => expect(gaps).not.toHaveLength(0));
    expect(gaps[0]).toMatchObject({ topic: 'cache.filled', reason: 'overflow' });
  });
});

describe('at the start, @Subscribe tells', () => {
  it('of every problem of every handler', async () => {
    class Plain {}
    @Injectable()
    class First {
      @Subscribe(CityUpdated, { group: 'a' })
      grouped(): void {}

      @Subscribe(CityViewed)
      undecided(): void {}

      @Subscribe(Plain)
      plain(): void {}
    }
    @Injectable()
    class Second {
      @Subscribe('no topic', {})
      nothing(): void {}

      @Subscribe(CacheFilled, { onGap: 'missing' })
      gap(): void {}

      @Subscribe(CacheFilled, { concurency: 0 } as SubscribeOptions)
      misspelt(): void {}

      @Subscribe(CacheFilled, 'ranking' as SubscribeOptions)
      text(): void {}
    }
    const { problems, message } = await problemsOf(First, Second);
    const methods = new Set(problems.map(({ option }) => option.split(':')[0]));
    const names = ['First.grouped', 'First.undecided', 'First.plain', 'Second.nothing', 'Second.gap'];
    expect([...methods]).toEqual([...names, 'Second.misspelt', 'Second.text']);
    expect(message).toMatch(/First\.undecided: group: .*delivery: 'broadcast'/);
    expect(message).toMatch(/First\.plain: @Event: is missing on Plain/);
    expect(message).toMatch(/Second\.gap: onGap: 'missing' is not the name of a method of Second/);
  });

  it('of an event bus that is not there, also in a controller', async () => {
    class Handlers {
      @Subscribe(CityUpdated)
      updated(): void {}
    }
    @Module({ providers: [Handlers] })
    class Provided {}
    @Module({ controllers: [Handlers] })
    class Controlled {}
    for (const feature of [Provided, Controlled])
      await expect(startApplication([applications.redis(), feature])).rejects.toThrow(/Handlers.*EventBus/s);
  });

  it('of two handlers with one topic and group', async () => {
    @Injectable()
    class First {
      @Subscribe(CityViewed, { group: 'ranking' })
      count(): void {}

      @Subscribe(CityViewed, { group: 'other' })
      other(): void {}
    }
    @Injectable()
    class Second {
      @Subscribe(CityViewed, { group: 'ranking' })
      count(): void {}
    }
    const { problems } = await problemsOf(First, Second);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      option: 'Second.count: group',
      message: expect.stringMatching(/'ranking' has a handler of 'city.viewed' .*First\.count/),
    });
  });
});

describe('when the class is defined, @Subscribe refuses', () => {
  const decorate = Subscribe(CacheFilled) as (...parameters: unknown[]) => void;

  it.each([
    ['a static method', class Some {}, 'handle', { value() {} }, /Some\.handle: a static method/],
    ['a property', {}, 'handle', undefined, /Object\.handle: this is not a method/],
    ['a getter', {}, 'handle', { get: () => 1 }, /this is not a method/],
    ['a symbol', {}, Symbol('handle'), { value() {} }, /a method is found by its name/],
  ])('%s', (_, target, property, descriptor, message) => {
    expect(() => decorate(target, property, descriptor)).toThrow(message);
  });

  it('a class that is not there yet', () => {
    const early = Subscribe(undefined as never) as typeof decorate;
    const method = { value() {} };
    expect(() => early({}, 'handle', method)).toThrow(/Object\.handle: there is no class.*imports this one/);
  });
});
