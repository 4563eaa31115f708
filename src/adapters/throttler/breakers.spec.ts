import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { RedisTimeoutError, type RedisConnection } from '../../redis/index.js';
import { Breakers } from './breakers.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Breakers of a Cluster whose only master is the one that `routing` says. */
function start() {
  const told: string[] = [];
  const routing = { master: 'one' };
  const connection = { topology: 'cluster', state: 'ready', masterOf: () => routing.master };
  const breakers = new Breakers({
    connection: connection as unknown as RedisConnection,
    budget: 50,
    began: (node) => told.push(`${node} began`),
    ended: (milliseconds) => told.push(`ended after ${milliseconds}`),
  });
  const hit = async (send: () => Promise<string>): Promise<string> =>
    breakers.of('key').run(send, async () => 'uncounted');
  return { told, routing, hit };
}

const counted = async () => 'counted';
const refused = () => Promise.reject(new RedisTimeoutError('late'));

/** Three late replies, and one in time. */
async function blip(hit: ReturnType<typeof start>['hit']): Promise<void> {
  for (let late = 0; late < 3; late++) expect(await hit(refused)).toBe('uncounted');
  jest.advanceTimersByTime(20);
  expect(await hit(counted)).toBe('counted');
}

it('what comes late from a master that is no more, tells nothing', async () => {
  const { told, routing, hit } = start();
  const late = Array.from({ length: 3 }, () => hit(() => new Promise(() => undefined)));
  routing.master = 'two';
  await hit(counted);
  await jest.advanceTimersByTimeAsync(100);
  expect(await Promise.all(late)).toEqual(['uncounted', 'uncounted', 'uncounted']);
  expect(told).toEqual([]);
  await blip(hit);
  expect(told).toEqual(['two began', 'ended after 20']);
});

it('a master that comes and goes is told of once while it does, and once afterwards', async () => {
  const { told, hit } = start();
  for (let second = 0; second < 60; second++) {
    await blip(hit);
    jest.advanceTimersByTime(980);
  }
  expect(told).toEqual(['one began', 'ended after 20', 'one began']);
  jest.advanceTimersByTime(10_000);
  expect(told.slice(3)).toEqual(['ended after 58020']);
  await blip(hit);
  expect(told.slice(4)).toEqual(['one began', 'ended after 20']);
});
