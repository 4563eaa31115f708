import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Opened } from '../support/opened.js';
import type { SharedMemoryReport, SharedMemoryScenario } from './fixtures/memory-redis-process.js';

const opened = new Opened();

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

describe('the memory of a process whose cache is shared', () => {
  it('does not grow with the keys that it has made, stored and read', async () => {
    const server = await opened.server({});
    const scenario: SharedMemoryScenario = { redis: server.options, keys: 20_000, maxEntries: 1_000 };
    const loader = ['--import', pathOf('../redis/fixtures/typescript.mjs')];
    const parameters = [...loader, pathOf('fixtures/memory-redis-process.ts'), JSON.stringify(scenario)];
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' };
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', ...parameters], { env });
    const { entries, runs, heap } = JSON.parse(stdout) as SharedMemoryReport;
    expect(runs).toBe(scenario.keys);
    expect(entries).toBeLessThanOrEqual(scenario.maxEntries);
    // Some 80 bytes for each key: even a Map that forgot none of them would take more.
    expect(heap).toBeLessThan(1.5e6);
  }, 120_000);
});
