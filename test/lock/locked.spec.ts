import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Scope } from '@nestjs/common';
import {
  Cacheable,
  CacheModule,
  Locked,
  LockConfigurationError,
  LockModule,
  LockNotInjectedError,
  LockService,
  LockTimeoutError,
  RedisModule,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

/** Works on accounts, each call for as long as it is told to. */
@Injectable()
class Bank {
  readonly calls: string[] = [];
  readonly held: (readonly string[])[] = [];
  failure: Error | undefined;
  gate: Promise<unknown> | undefined;
  active = 0;
  mostActive = 0;

  constructor(readonly locks: LockService) {}

  @Locked({ key: (from, to) => [`account:${from}`, `account:${to}`], wait: '10s' })
  async transfer(from: string, to: string): Promise<string> {
    return this.work(`${from} to ${to}`);
  }

  @Locked({ key: (account: string) => account, wait: 0 })
  async read(account: string): Promise<string> {
    return this.work(account);
  }

  @Locked({ key: 'account:a', wait: 0, status: 409 })
  async conflict(): Promise<string> {
    return this.work('conflict');
  }

  @Locked({ key: ['account:a', 'account:b'], onContention: 'skip' })
  async skip(): Promise<string | undefined> {
    return this.work('skip');
  }

  @Locked({ key: 'account:a', onContention: 'skip', wait: '10s' })
  async skipLater(): Promise<string | undefined> {
    return this.work('skip later');
  }

  @Locked({ key: 'account:c', onContention: 'skip' })
  async skipNested(): Promise<string | undefined> {
    return this.read('account:a');
  }

  @Locked({ key: 'account:a', ttl: '5s', renew: false, atMostFor: '4s' })
  async remaining(): Promise<number> {
    return this.locks.current().remaining;
  }

  @Locked({ key: 'account:a' })
  async remainingByDefault(): Promise<number> {
    return this.locks.current().remaining;
  }

  @Locked({ key: 'again', wait: 0, reentrant: true })
  async again(times: number): Promise<number> {
    return times > 0 ? 1 + (await this.again(times - 1)) : 0;
  }

  @Locked({ key: 'at once' })
  throwsAtOnce(): Promise<never> {
    throw new Error('at once');
  }

  private async work(call: string): Promise<string> {
    this.calls.push(call);
    this.held.push(this.locks.current().resources);
    this.active++;
    this.mostActive = Math.max(this.mostActive, this.active);
    await (this.gate ?? sleep(5));
    this.active--;
    if (this.failure) throw this.failure;
    return call;
  }
}

const opened = new Opened();

async function start(providers: Parameters<typeof startApplication>[1] = [Bank]) {
  const server = await opened.server({});
  const { app } = await startApplication(
    [
      RedisModule.forRoot(server.options),
      LockModule.forRoot({ ttl: '3s', wait: '300ms' }),
      CacheModule.forRoot({ namespace: 'app' }),
    ],
    providers,
  );
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  return { app, server, locks: app.get(LockService) };
}

async function startBank() {
  const { app, ...others } = await start();
  return { bank: app.get(Bank), ...others };
}

describe('@Locked', () => {
  it('runs one call at a time, and gives what the method gives', async () => {
    const { bank, locks } = await startBank();
    const results = await Promise.all([
      bank.transfer('a', 'b'),
      bank.transfer('b', 'a'),
      bank.transfer('b', 'c'),
      bank.transfer('a', 'b'),
    ]);
    expect(results).toEqual(['a to b', 'b to a', 'b to c', 'a to b']);
    expect(bank.mostActive).toBe(1);
    expect(bank.held.map((each) => each.toSorted())).toContainEqual(['account:a', 'account:b']);
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it('lets calls for other resources run beside', async () => {
    const { bank } = await startBank();
    bank.gate = eventually(() => bank.active === 2);
    await Promise.all([bank.read('account:a'), bank.read('account:b')]);
    expect(bank.mostActive).toBe(2);
  });

  it('passes on what the method throws, and releases', async () => {
    const { bank } = await startBank();
    bank.failure = new Error('no database');
    await expect(bank.read('account:a')).rejects.toBe(bank.failure);
    await expect(bank.throwsAtOnce()).rejects.toThrow('at once');
    bank.failure = undefined;
    expect(await bank.read('account:a')).toBe('account:a');
  });

  it('does not run the method while others hold the lock', async () => {
    const { bank, locks } = await startBank();
    await using _ = await locks.acquire('account:a');
    await expect(bank.read('account:a')).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      resource: 'account:a',
      statusCode: 423,
      retryAfter: expect.any(Number),
    });
    const refusal = await bank.conflict().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(LockTimeoutError);
    expect(refusal).toMatchObject({
      statusCode: 409,
      resource: 'account:a',
      message: expect.stringMatching(/locked/),
    });
    expect(bank.calls).toEqual([]);
  });

  it('has the options of the module where it says nothing else', async () => {
    const { bank, locks } = await startBank();
    expect(await bank.remainingByDefault()).toBeLessThanOrEqual(3_000);
    const remaining = await bank.remaining();
    expect(remaining).toBeGreaterThan(3_000);
    expect(remaining).toBeLessThanOrEqual(4_000);
    await using _ = await locks.acquire('account:a');
    const refusal = await bank.remainingByDefault().catch((error: LockTimeoutError) => error);
    expect((refusal as LockTimeoutError).waited).toBeGreaterThan(290);
  });

  it('lets in who holds it already where it is asked to', async () => {
    const { bank } = await startBank();
    expect(await bank.again(3)).toBe(3);
  });
});

describe("onContention: 'skip'", () => {
  it('runs the method where the lock is free', async () => {
    const { bank } = await startBank();
    expect(await bank.skip()).toBe('skip');
  });

  it('skips it at once while others hold the lock', async () => {
    const { bank, locks } = await startBank();
    await using _ = await locks.acquire('account:b');
    expect(await bank.skip()).toBeUndefined();
    expect(bank.calls).toEqual([]);
  });

  it('waits first where it is told to', async () => {
    const { bank, locks } = await startBank();
    const lease = await locks.acquire('account:a');
    const skipped = bank.skipLater();
    await eventually(() => locks.stats().waiting === 1);
    await lease.release();
    expect(await skipped).toBe('skip later');
  });

  it('is no answer to that Redis is away', async () => {
    const { bank, server } = await startBank();
    await server.kill();
    await expect(bank.skip()).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE', statusCode: 503 });
    expect(bank.calls).toEqual([]);
  });

  it('does not hide that the method itself could not get a lock', async () => {
    const { bank, locks } = await startBank();
    await using _ = await locks.acquire('account:a');
    await expect(bank.skipNested()).rejects.toThrow(LockTimeoutError);
    expect(locks.stats().held).toBe(1);
  });
});

describe('a key', () => {
  it('that throws is told to the caller', async () => {
    const { bank } = await startBank();
    const call = bank.transfer.bind(bank) as (...args: unknown[]) => Promise<string>;
    await expect(call(Symbol('a'), 'b')).rejects.toThrow(TypeError);
    expect(bank.calls).toEqual([]);
  });

  it.each([
    [undefined, 'key returned undefined, which is not a text with at least one letter'],
    ['', "key returned '', which is not a text with at least one letter"],
    [7, 'key returned 7, which is not a text with at least one letter'],
    [['a', null], 'key returned null, which is not a text with at least one letter'],
    [[], 'key returned an empty list'],
  ])('that is %p is refused', async (key, message) => {
    const { bank } = await startBank();
    const call = bank.read.bind(bank) as (account: unknown) => Promise<string>;
    await expect(call(key)).rejects.toThrow(new TypeError(`@Locked on Bank.read: ${message}`));
    expect(bank.calls).toEqual([]);
  });
});

describe('inheritance', () => {
  abstract class Repository {
    abstract readonly locks: LockService;

    @Locked({ key: (id: string) => `item:${id}`, wait: 0 })
    async save(id: string): Promise<string> {
      await sleep(5);
      return `base ${id} under ${this.locks.current().resource}`;
    }
  }

  @Injectable()
  class Plain extends Repository {
    @Inject(LockService) override readonly locks!: LockService;
  }

  @Injectable()
  class Overriding extends Plain {
    override async save(id: string): Promise<string> {
      return `over ${await super.save(id)}`;
    }
  }

  @Injectable()
  class SameKey extends Plain {
    @Locked({ key: (id) => `item:${id}`, wait: 0 })
    override async save(id: string): Promise<string> {
      return `same ${await super.save(id)}`;
    }
  }

  @Injectable()
  class OtherKey extends Overriding {
    @Locked({ key: (id) => `other:${id}`, wait: 0 })
    override async save(id: string): Promise<string> {
      return `other ${await super.save(id)}`;
    }
  }

  const types = [Plain, Overriding, SameKey, OtherKey];

  it.each([
    [Plain, 'base 1 under item:1'],
    [Overriding, 'over base 1 under item:1'],
    [SameKey, 'same base 1 under item:1'],
    [OtherKey, 'other over base 1 under item:1'],
  ])('of %p', async (type, expected) => {
    const { app, locks } = await start(types);
    const repository = app.get(type);
    expect(await repository.save('1')).toBe(expected);
    expect(await Promise.all([repository.save('1'), repository.save('2')])).toHaveLength(2);
    await using _ = await locks.acquire('item:1');
    await expect(repository.save('1')).rejects.toThrow(LockTimeoutError);
  });

  it('keeps others out where a method and its super lock the same', async () => {
    const { app } = await start(types);
    const repository = app.get(SameKey);
    const outcomes = await Promise.allSettled([repository.save('1'), repository.save('1')]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('where Nest builds the instance', () => {
  @Injectable({ scope: Scope.REQUEST })
  class RequestScoped {
    @Locked({ key: 'a', wait: 0 })
    async run(): Promise<string> {
      return 'ran';
    }
  }

  it('for each request, too', async () => {
    const { app } = await start([RequestScoped]);
    const [one, two] = [await app.resolve(RequestScoped), await app.resolve(RequestScoped)];
    expect(one).not.toBe(two);
    expect(await one.run()).toBe('ran');
    expect(Reflect.ownKeys(Object.assign({}, two))).toEqual([]);
  });

  it.each([
    ['forRoot', LockModule.forRoot({ connection: 'locks' })],
    ['forRootAsync', LockModule.forRootAsync({ connection: 'locks', useFactory: () => ({ wait: 0 }) })],
  ])('over a connection that has a name, by %s', async (_, module) => {
    const server = await opened.server({});
    const modules = [RedisModule.forRoot({ name: 'locks', ...server.options }), module];
    const { app } = await startApplication(modules, [Bank]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    expect(await app.get(Bank).read('account:a')).toBe('account:a');
  });

  it('a module that is missing keeps the start from succeeding', async () => {
    @Injectable()
    class Singleton extends RequestScoped {}
    const starting = startApplication([], [Singleton]);
    await expect(starting).rejects.toThrow(/dependencies of the Singleton.*LockService/s);
  });
});

describe('above and below other decorators', () => {
  @Injectable()
  class Reports {
    runs = 0;
    constructor(readonly locks: LockService) {}

    @Cacheable({ key: () => 'above' })
    @Locked({ key: 'report', wait: 0 })
    async cachedAbove(): Promise<number> {
      return ++this.runs;
    }

    @Locked({ key: 'report', wait: 0 })
    @Cacheable({ key: () => 'below' })
    async cachedBelow(): Promise<number> {
      return ++this.runs;
    }

    @Locked({ key: 'outer' })
    @Locked({ key: 'inner' })
    async twice(): Promise<string> {
      const lease = await this.locks.tryAcquire('outer');
      return `${this.locks.current().resource}, outer is ${lease ? 'free' : 'held'}`;
    }
  }

  it('both hold', async () => {
    const { app, locks } = await start([Reports]);
    const reports = app.get(Reports);
    expect([await reports.cachedAbove(), await reports.cachedBelow()]).toEqual([1, 2]);
    await using _ = await locks.acquire('report');
    // What is cached needs no lock, if the cache is asked first.
    expect(await reports.cachedAbove()).toBe(1);
    await expect(reports.cachedBelow()).rejects.toThrow(LockTimeoutError);
    expect(await reports.twice()).toBe('inner, outer is held');
  });

  it('keeps the name and the parameters of its method', () => {
    const { value } = Object.getOwnPropertyDescriptor(Bank.prototype, 'transfer')!;
    expect([value.name, value.length]).toEqual(['transfer', 2]);
  });
});

describe('outside the container', () => {
  it('an instance has no locks, and says so', async () => {
    const bank = new Bank(undefined as never);
    await expect(bank.read('a')).rejects.toThrow(LockNotInjectedError);
    await expect(bank.skip()).rejects.toThrow(/^@Locked on Bank.skip: .* container did not build/);
    await expect(bank.conflict()).rejects.toMatchObject({ code: 'LOCK_NOT_INJECTED' });
    expect(bank.calls).toEqual([]);
  });

  it('neither does one that a useFactory made with new', async () => {
    const { app } = await start([{ provide: Bank, useFactory: () => new Bank(undefined as never) }]);
    await expect(app.get(Bank).read('a')).rejects.toThrow(LockNotInjectedError);
  });
});

describe('wrong options', () => {
  const decorate = (options: unknown) => () => {
    class Decorated {
      async method(): Promise<void> {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Decorated.prototype, 'method');
    const make = Locked as (given: unknown) => (...parameters: unknown[]) => void;
    make(options)(Decorated.prototype, 'method', descriptor);
  };

  it.each<[string, unknown, RegExp]>([
    ['none', undefined, /options: undefined is not an object of options/],
    ['no key', {}, /key: is missing/],
    [
      'an empty key',
      { key: '' },
      /key: '' is not a text with at least one letter, a list of such, or a function/,
    ],
    ['an empty list', { key: [] }, /key: an array is not a text/],
    ['a list with an empty key', { key: ['a', ''] }, /key: an array is not a text/],
    ['a duration', { key: 'a', ttl: '10 minutes' }, /ttl: '10 minutes' is not a duration/],
    ['a short ttl', { key: 'a', ttl: 10 }, /ttl: is 10 ms; the shortest is 50 ms/],
    ['a wait', { key: 'a', wait: -1 }, /wait: -1 is not/],
    ['renew', { key: 'a', renew: 'yes' }, /renew: 'yes' is not true or false/],
    [
      'atLeastFor',
      { key: 'a', atLeastFor: '2m', atMostFor: '1m' },
      /atLeastFor: is 120000 ms, more than atMostFor \(60000 ms\)/,
    ],
    ['a way', { key: 'a', onContention: 'ignore' }, /onContention: 'ignore' is not 'throw' or 'skip'/],
    ['a status', { key: 'a', status: 500 }, /status: 500 is not 423 or 409/],
    [
      'a status of what is skipped',
      { key: 'a', status: 409, onContention: 'skip' },
      /status: is for onContention: 'throw'/,
    ],
    [
      'an unknown option',
      { key: 'a', onContenton: 'skip' },
      /onContenton: is not an option of rednest; did you mean onContention/,
    ],
    ['a signal', { key: 'a', signal: AbortSignal.abort() }, /signal: is not an option/],
  ])('are refused when the class is defined: %s', (_, options, message) => {
    expect(decorate(options)).toThrow(LockConfigurationError);
    expect(decorate(options)).toThrow(message);
    expect(decorate(options)).toThrow(/^@Locked on Decorated.method is not configured correctly/);
  });

  it('are told all at once', () => {
    expect(decorate({ ttl: 'a', status: 1 })).toThrow(/ttl: .*\n.*key: .*\n.*status: /s);
  });

  it('and so is what is no method of an instance', () => {
    const decorator = Locked({ key: 'a' }) as (...parameters: unknown[]) => void;
    class Decorated {}
    expect(() => decorator(Decorated, 'run', { value: async () => 1 })).toThrow(
      '@Locked on Decorated.run: a static method cannot have a lock',
    );
    expect(() => decorator(Decorated.prototype, 'run', { get: () => 1 })).toThrow(/this is not a method/);
  });
});
