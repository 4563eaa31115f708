import { afterEach, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScriptProcess } from './script-process.fixture.js';

const startServers = `
  import { startCluster, startRedis, startSentinel } from './testing/index.js';
  const [single, paused, group, cluster] = await Promise.all([
    startRedis(), startRedis({ tls: true }), startSentinel({ replicas: 1, sentinels: 1 }), startCluster({ masters: 1 }),
  ]);
  paused.pause();
  const servers = [single, paused, ...group.servers, ...group.sentinels, ...cluster.nodes];
  console.log(JSON.stringify(servers.map(({ pid }) => pid)));
`;

let script: ScriptProcess;

afterEach(() => script.remove());

/** A process that has ended and that nobody has asked for its outcome yet (a zombie) does not count. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) Z /.test(status);
}

/** How long, in milliseconds, until nothing is left. */
async function untilGone(pids: number[]): Promise<number> {
  const started = performance.now();
  for (;;) {
    const alive = await Promise.all(pids.map(isAlive));
    if (!alive.includes(true) && (await script.serverDirectories()).length === 0)
      return performance.now() - started;
    await sleep(20);
  }
}

async function printedPids(): Promise<number[]> {
  const pids = (await script.line()) as number[];
  expect(pids).toHaveLength(7);
  return pids;
}

async function startedPids(): Promise<number[]> {
  const pids = await printedPids();
  expect(await Promise.all(pids.map(isAlive))).not.toContain(false);
  expect(await script.serverDirectories()).toHaveLength(7);
  return pids;
}

describe('servers and directories', () => {
  it('vanish within 2 s when the process that started them is killed with SIGKILL', async () => {
    script = await ScriptProcess.run(`${startServers} setInterval(() => {}, 1000);`);
    const pids = await startedPids();
    script.child.kill('SIGKILL');
    expect(await untilGone(pids)).toBeLessThan(2_000);
  });

  it('are not hit by Ctrl-C themselves, and vanish when it ends the process', async () => {
    script = await ScriptProcess.run(`${startServers}
      process.once('SIGINT', async () => {
        const client = await single.admin();
        console.log(JSON.stringify(await client.ping()));
        process.exit();
      });
      setInterval(() => {}, 1000);`);
    const pids = await startedPids();
    process.kill(-(script.child.pid ?? 0), 'SIGINT');
    expect(await script.line()).toBe('PONG');
    expect(await untilGone(pids)).toBeLessThan(2_000);
  });

  it('vanish when the process forgets them, which they neither keep alive nor write to', async () => {
    script = await ScriptProcess.run(startServers);
    const pids = await printedPids();
    expect(await script.ended()).toBe(0);
    expect(script.errors).toBe('');
    expect(await untilGone(pids)).toBeLessThan(2_000);
  });

  it('are gone when stop has resolved, also where nothing else keeps the process alive', async () => {
    script = await ScriptProcess.run(`${startServers}
      await Promise.all([single, paused, group, cluster].map((handle) => handle.stop()));
      console.log(JSON.stringify('stopped'));`);
    const pids = await printedPids();
    expect(await script.line()).toBe('stopped');
    expect(await script.serverDirectories()).toEqual([]);
    expect(await Promise.all(pids.map(isAlive))).not.toContain(true);
    expect(await script.ended()).toBe(0);
    expect(script.errors).toBe('');
  });

  it('are not left behind when a start fails', async () => {
    script = await ScriptProcess.run(`
      import { startCluster, startSentinel } from './testing/index.js';
      const config = { 'no-such-directive': '1' };
      const outcomes = await Promise.allSettled([startSentinel({ config }), startCluster({ config })]);
      console.log(JSON.stringify(outcomes.map(({ reason }) => String(reason))));`);
    const reasons = (await script.line()) as string[];
    for (const reason of reasons) expect(reason).toContain('no-such-directive');
    expect(await script.serverDirectories()).toEqual([]);
    expect(await script.ended()).toBe(0);
  });

  it('need the optional peer selfsigned for TLS only, and say so', async () => {
    script = await ScriptProcess.run(
      `import { startRedis } from './testing/index.js';
      const server = await startRedis();
      await server.stop();
      const failure = await startRedis({ tls: true }).catch((error) => error.message);
      console.log(JSON.stringify(failure));`,
      { without: ['selfsigned'] },
    );
    expect(await script.line()).toContain('npm install --save-dev selfsigned');
  });
});
