import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Cacheable,
  CacheModule,
  getRedisConnectionToken,
  getRedisToken,
  Locked,
  LockConfigurationError,
  LockModule,
  LockNotHeldError,
  LockService,
  RedisModule,
} from 'rednest';
import { passThroughLocks, passThroughLockService } from 'rednest/testing';
import { eventually } from '../support/eventually.js';

@Injectable()
class Tours {
  constructor(readonly locks: LockService) {}

  @Locked({ key: (tour, guest) => [`tour:${tour}`, `guest:${guest}`], wait: 0 })
  async book(tour: string, guest: string): Promise<readonly string[]> {
    const lease = await this.locks.tryAcquire(`tour:${tour}`);
    expect(lease?.resource).toBe(`tour:${tour}`);
    expect(guest).not.toBe('nobody');
    return this.locks.current().resources;
  }

  @Locked({ key: 'job', onContention: 'skip', atLeastFor: '1h' })
  async job(): Promise<number | undefined> {
    return this.locks.current().fence;
  }
}

async function start(): Promise<Tours> {
  const providers = [Tours, ...passThroughLocks()];
  return (await Test.createTestingModule({ providers }).compile()).get(Tours);
}

describe('passThroughLocks', () => {
  it('lets decorated methods run, at the same time, too', async () => {
    const tours = await start();
    const booked = await Promise.all([tours.book('1', 'a'), tours.book('1', 'b')]);
    expect(booked).toEqual([
      ['tour:1', 'guest:a'],
      ['tour:1', 'guest:b'],
    ]);
    const [first, second] = [await tours.job(), await tours.job()];
    expect(second).toBeGreaterThan(first!);
  });

  it('passes on what a method or a routine throws', async () => {
    const tours = await start();
    await expect(tours.book('1', 'nobody')).rejects.toThrow('nobody');
    const failing = tours.locks.using('a', () => {
      throw new Error('no database');
    });
    await expect(failing).rejects.toThrow('no database');
  });

  it('gives leases that are never lost', async () => {
    const { locks } = await start();
    await using lease = await locks.acquire('a', { ttl: '50ms', renew: false, wait: 0 });
    expect(lease).toMatchObject({ resource: 'a', resources: ['a'], remaining: Infinity, lost: undefined });
    expect(lease.signal.aborted).toBe(false);
    expect(await lease.extend('1m')).toBe(Infinity);
    expect(await lease.release()).toBe('released');
    expect(lease.remaining).toBe(0);
    await expect(lease.extend()).rejects.toThrow(LockNotHeldError);
  });

  it('does so for all kinds of locks', async () => {
    const { locks } = await start();
    expect(await locks.using(['a', 'b'], () => locks.current().resource)).toBe('a, b');
    expect(await locks.semaphore('a', 1).using(() => locks.semaphore('a', 1).using(() => 'in'))).toBe('in');
    const { read, write } = locks.readWrite('a');
    expect(await write.using(() => read.using(() => 'in'))).toBe('in');
    expect(await locks.inspect('a')).toMatchObject({ resource: 'a', holders: [], waiters: [] });
    expect(await locks.forceRelease('a', { reason: 'a test' })).toEqual([]);
    expect([locks.held(), locks.stats()]).toEqual([[], { held: 0, waiting: 0 }]);
  });

  it('leads, term after term, until it is stopped, and lets all else run', async () => {
    const { locks } = await start();
    const leader = locks.leader('a');
    const fences: number[] = [];
    const led = (async () => {
      for await (const term of leader) {
        expect([term.isLeading, leader.isLeader]).toEqual([true, true]);
        fences.push(term.fence);
      }
    })();
    await eventually(() => fences.length >= 2);
    await leader.stop();
    await led;
    expect(leader.isLeader).toBe(false);
    expect(fences[1]).toBeGreaterThan(fences[0]!);
  });

  it('lets all else run between acquisitions', async () => {
    const { locks } = await start();
    const turn = { isOver: false };
    setImmediate(() => (turn.isOver = true));
    while (!turn.isOver) await locks.using('a', () => undefined);
    expect(turn.isOver).toBe(true);
  });

  it('says what is wrong, as the locks do', async () => {
    const { locks } = await start();
    expect(() => locks.current()).toThrow(LockNotHeldError);
    await expect(locks.acquire('', {})).rejects.toThrow(LockConfigurationError);
    await expect(locks.acquire('a', { ttl: 1 })).rejects.toThrow(/ttl/);
  });

  it('closes', async () => {
    const testing = await Test.createTestingModule({ providers: [Tours, ...passThroughLocks()] }).compile();
    await testing.init();
    await testing.close();
  });
});

describe('passThroughLockService', () => {
  @Injectable()
  class Guides {
    runs = 0;

    @Cacheable({ key: (tour: string) => tour })
    async of(tour: string): Promise<string> {
      this.runs++;
      return `guide of ${tour}`;
    }
  }

  @Module({ providers: [Tours, Guides] })
  class ToursModule {}

  @Module({
    imports: [
      RedisModule.forRoot({ host: 'no.such.host' }),
      CacheModule.forRoot({ namespace: 'app', ttl: '1m' }),
      LockModule.forRoot(),
      ToursModule,
    ],
  })
  class AppModule {}

  it('stands in for the locks of a whole application, which then opens nothing', async () => {
    const testing = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(getRedisConnectionToken())
      .useValue(null)
      .overrideProvider(getRedisToken())
      .useValue({})
      .overrideProvider(LockService)
      .useValue(passThroughLockService())
      .compile();
    const app = await testing.init();
    const [tours, guides] = [app.get(Tours), app.get(Guides)];
    expect(await tours.book('1', 'a')).toEqual(['tour:1', 'guest:a']);
    expect([await guides.of('1'), await guides.of('1'), guides.runs]).toEqual([
      'guide of 1',
      'guide of 1',
      1,
    ]);
    await app.close();
  });
});
