import { describe, expect, it } from '@jest/globals';
import { RedisClosedError, RedisTimeoutError, RedisUnavailableError } from 'rednest';
import type { MemorySample } from 'rednest/diagnostics';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { REPORTS } from './fixtures/every-report.js';
import { openInspector } from './fixtures/open-inspector.js';

const opened = new Opened();

describe('a server that is away', () => {
  it('fails each report with the reason', async () => {
    const server = await opened.server({});
    const { inspector, connection } = await openInspector(opened, server.options, { timeout: '300ms' });
    await inspector.memory();
    await server.kill();
    await eventually(() => connection.state === 'reconnecting');
    const outcomes = await Promise.allSettled(Object.values(REPORTS).map((report) => report(inspector)));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: expect.any(RedisUnavailableError) });
    await server.restart();
    await eventually(() => inspector.memory());
  });

  it('fails each report within the timeout, paused', async () => {
    const server = await opened.server({});
    const { inspector } = await openInspector(opened, server.options, { timeout: '300ms' });
    await inspector.memory();
    server.pause();
    const outcomes = await Promise.allSettled(Object.values(REPORTS).map((report) => report(inspector)));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: expect.any(RedisTimeoutError) });
    server.resume();
    expect((await inspector.memory()).used).toBeGreaterThan(0);
  });

  it('fails as closed, after the shutdown', async () => {
    const server = await opened.server({});
    const { inspector, connection } = await openInspector(opened, server.options);
    await inspector.memory();
    await connection.close();
    await expect(inspector.memory()).rejects.toBeInstanceOf(RedisClosedError);
  });
});

describe('watchMemory', () => {
  async function collect(samples: AsyncIterable<MemorySample>, into: MemorySample[]): Promise<void> {
    for await (const sample of samples) into.push(sample);
  }

  it('sees what is written, goes on after an outage, and ends with its signal', async () => {
    const server = await opened.server({});
    const { inspector, connection } = await openInspector(opened, server.options, { timeout: '200ms' });
    const stop = new AbortController();
    const samples: MemorySample[] = [];
    const watching = collect(inspector.watchMemory(100, { signal: stop.signal }), samples);
    await eventually(() => samples.length >= 2);
    expect(samples[0]!.change).toBeUndefined();
    await (await server.admin()).setrange('large', 10_000_000, 'x');
    await eventually(() => samples.some(({ change }) => change !== undefined && change > 9_000_000));
    expect(samples.at(-1)!.perMinute).toBeGreaterThan(0);
    await server.kill();
    await eventually(() => connection.state === 'reconnecting');
    const before = samples.length;
    await server.restart();
    await eventually(() => samples.length >= before + 2);
    stop.abort();
    await watching;
  });

  it('ends at once with return(), in the pause between two samples', async () => {
    const server = await opened.server({});
    const { inspector } = await openInspector(opened, server.options);
    const samples = inspector.watchMemory('1h')[Symbol.asyncIterator]();
    expect((await samples.next()).value).toMatchObject({ memory: { used: expect.any(Number) } });
    const next = samples.next();
    expect(await samples.return!()).toEqual({ done: true, value: undefined });
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('ends with a break, with a signal that was given up before, and with the connection', async () => {
    const server = await opened.server({});
    const { inspector, connection } = await openInspector(opened, server.options);
    for await (const { memory } of inspector.watchMemory('1h')) {
      expect(memory.used).toBeGreaterThan(0);
      break;
    }
    const none: MemorySample[] = [];
    await collect(inspector.watchMemory('1h', { signal: AbortSignal.abort() }), none);
    expect(none).toEqual([]);
    const samples: MemorySample[] = [];
    const watching = collect(inspector.watchMemory(100), samples);
    await eventually(() => samples.length >= 1);
    await connection.close();
    await watching;
  });

  it('refuses an interval at once', async () => {
    const { inspector } = await openInspector(opened, (await opened.emptyServer()).options);
    const error = { code: 'INSPECTION_CONFIGURATION' };
    expect(() => inspector.watchMemory(50)).toThrow(
      expect.objectContaining({ ...error, message: expect.stringMatching(/the shortest is 100 ms/) }),
    );
    expect(() => inspector.watchMemory(undefined as never, { signal: 1 } as never)).toThrow(
      expect.objectContaining({
        ...error,
        message: expect.stringMatching(/interval: is missing[^]*signal: /),
      }),
    );
  });
});
