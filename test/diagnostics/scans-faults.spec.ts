import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyScan } from '../../src/diagnostics/scans/key-scan.js';
import { Patience } from '../../src/keyspace/patience.js';
import { Opened } from '../support/opened.js';
import { openInspector } from './fixtures/open-inspector.js';

const KEYS = 4_000;

describe('a walk through all keys during an outage', () => {
  const opened = new Opened();

  async function filledServer(): Promise<RedisServer> {
    const server = await opened.server({});
    const keys = Array.from({ length: KEYS }, (_, number) => [`before:${number}`, 'x'.repeat(100)]);
    await (await server.admin()).mset(Object.fromEntries(keys));
    return server;
  }

  it('goes on after a restart, and tells of what is there then', async () => {
    const server = await filledServer();
    const { inspector } = await openInspector(opened, server.options);
    let restarted: Promise<void> | undefined;
    const restart = async (): Promise<void> => {
      await server.kill();
      await server.restart();
      await (await server.admin()).mset({ 'after:1': 'x', 'after:2': 'xx' });
    };
    const report = await inspector.bigKeys({
      by: 'elements',
      onProgress: () => void (restarted ??= restart()),
    });
    await restarted;
    // The server is walked through as soon as it answers, which may be before or after these keys are written.
    expect(report).toMatchObject({ complete: true, failure: undefined, omitted: [] });
    expect(report.keys.map(({ key }) => key).filter((key) => !key.startsWith('after:'))).toEqual([]);
    expect(report.scanned).toBe(report.keys.length);
  }, 60_000);

  it('reports what it has found, and why that is not all, where Redis stays away', async () => {
    const server = await filledServer();
    const { inspector, connection } = await openInspector(opened, {
      ...server.options,
      maxRetriesPerRequest: 0,
    });
    const options = { match: '*', limit: Infinity, signal: undefined };
    const task = { newTally: () => ({}), look: async () => () => undefined };
    let killed: Promise<void> | undefined;
    const onProgress = (): void => void (killed ??= server.kill());
    const report = await new KeyScan(connection, { ...options, onProgress }, 500).run(task);
    await killed;
    expect(report.complete).toBe(false);
    expect(report.failure).toMatchObject({ retryable: true });
    expect(report.scanned).toBeGreaterThan(0);
    expect(report.scanned).toBeLessThan(KEYS);

    const nothing = new KeyScan(connection, { ...options, onProgress: undefined }, 300).run(task);
    await expect(nothing).rejects.toThrow(RedisUnavailableError);
    const stopped = AbortSignal.timeout(300);
    expect(await inspector.bigKeys({ by: 'elements', signal: stopped })).toMatchObject({
      complete: false,
      failure: undefined,
      scanned: 0,
    });
  }, 60_000);

  it('reports what it has found where it is stopped while Redis is away', async () => {
    for (const scan of ['staleKeys', 'sweep'] as const) {
      const server = await filledServer();
      const { inspector } = await openInspector(opened, { ...server.options, maxRetriesPerRequest: 0 });
      const stop = new AbortController();
      let killed: Promise<void> | undefined;
      const onProgress = (): void => void (killed ??= server.kill().then(() => stop.abort()));
      const options = { idleFor: '1h', onProgress, signal: stop.signal } as const;
      const report = await (scan === 'sweep'
        ? inspector.sweep({ ...options, match: '*', dryRun: true })
        : inspector.staleKeys(options));
      await killed;
      expect(report).toMatchObject({ complete: false, failure: undefined });
    }
  }, 60_000);

  it('asks no more where the first answer took all the time', async () => {
    const { connection } = await openInspector(opened, (await opened.server({})).options);
    let calls = 0;
    const ask = async (): Promise<void> => {
      calls++;
      await sleep(100);
      throw new RedisUnavailableError('away');
    };
    await expect(new Patience(connection, undefined, 50).ask(ask)).rejects.toThrow('away');
    expect(calls).toBe(1);
  });

  it('waits for a time, however long each answer takes, and says no more than is known', async () => {
    const server = await filledServer();
    const { connection } = await openInspector(opened, {
      ...server.options,
      maxRetriesPerRequest: 0,
      stallTimeout: '300ms',
      reconnect: { maxDelay: '200ms' },
    });
    let looks = 0;
    const task = {
      newTally: () => ({}),
      look: async () => {
        if (++looks === 2) server.pause();
        return () => undefined;
      },
    };
    const options = { match: '*', limit: Infinity, signal: undefined, onProgress: undefined };
    const started = performance.now();
    const report = await new KeyScan(connection, options, 2_000).run(task);
    const took = performance.now() - started;
    server.resume();
    expect(report).toMatchObject({ complete: false, failure: { retryable: true } });
    // It has connected anew all the time, to a server that takes connections and answers nothing.
    expect(report.failure?.message).not.toMatch(/Redis is loading/);
    expect(took).toBeGreaterThan(1_500);
    expect(took).toBeLessThan(20_000);
  }, 60_000);
});
