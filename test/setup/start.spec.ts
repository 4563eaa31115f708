import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';

// A first build, then the import of all cities.
const startDeadline = 180_000;

interface Started {
  process: ChildProcess;
  /** What it has printed. */
  output: () => string;
  /** Of the application and of its Redis. */
  ports: number[];
}

const running: ChildProcess[] = [];

// Enough for a command that a failed test left behind: what it started goes with it, as is tested here.
afterEach(() => running.splice(0).forEach((process) => process.kill('SIGKILL')));

/** `npm start`, on a free port and with a Redis of its own; resolves when the application is up. */
async function start(key?: string): Promise<Started> {
  const { REDIS_URL: _url, ENCRYPTION_KEY: _key, SESSION_SECRET: _secret, ...environment } = process.env;
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    env: {
      ...environment,
      PORT: '0',
      REDIS_HOST: 'not-for-this-server.invalid',
      ...(key && { ENCRYPTION_KEY: key, SESSION_SECRET: randomBytes(32).toString('hex') }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += String(data)));
  const deadline = performance.now() + startDeadline;
  for (;;) {
    const [, redis] = /on 127\.0\.0\.1:(\d+) \(stops with this command\)/.exec(printed) ?? [];
    const [, application] = /http:\/\/localhost:(\d+)/.exec(printed) ?? [];
    if (redis && application) {
      return { process: child, output: () => printed, ports: [Number(application), Number(redis)] };
    }
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`Not up:\n${printed}`);
    await wait(50);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() && true));
    socket.once('error', () => resolve(false));
  });
}

async function closed(ports: number[], withinMilliseconds: number): Promise<boolean> {
  const deadline = performance.now() + withinMilliseconds;
  while (performance.now() < deadline) {
    const open = await Promise.all(ports.map(isOpen));
    if (!open.includes(true)) return true;
    await wait(50);
  }
  return false;
}

describe('npm start', () => {
  it(
    'serves the cities, says what to try, and leaves nothing running when it is stopped, the application first',
    async () => {
      const { process: command, output, ports } = await start();
      const response = await fetch(`http://127.0.0.1:${ports[0]}/cities?q=zurich&limit=1`);
      await expect(response.json()).resolves.toMatchObject([{ country: 'CH' }]);
      expect(output()).toMatch(/curl -X POST '[^']+\/tours\/zurich-old-town\/bookings'/);
      expect(output().match(/ENCRYPTION_KEY.*/g)).toEqual([
        'ENCRYPTION_KEY and SESSION_SECRET are not set, so this run has random ones',
      ]);
      expect(output()).not.toMatch(/[0-9a-f]{64}/i);

      const ended = once(command, 'exit');
      command.kill('SIGINT');
      await expect(ended).resolves.toEqual([0, null]);
      await expect(closed(ports, 1_000)).resolves.toBe(true);
      expect(output()).not.toMatch(/ECONNREFUSED|ECONNRESET|is closed/);
    },
    startDeadline + 30_000,
  );

  it(
    'has its values rotated by npm run rotate, and leaves nothing running when it is killed',
    async () => {
      const [oldKey, newKey] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('hex'));
      const { process: command, ports, output } = await start(oldKey);
      expect(output()).not.toMatch(/ENCRYPTION_KEY|SESSION_SECRET|[0-9a-f]{64}/i);
      const [create] = /http:\S+\/payments\/profiles(?=' .*)/.exec(output())!;
      const body = /payments\/profiles' .* -d '(.*)'/.exec(output())![1]!;
      const created = await fetch(create, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(created.status).toBe(201);
      const { stdout } = await promisify(execFile)(process.execPath, ['scripts/rotate.mjs'], {
        env: {
          ...process.env,
          REDIS_URL: `redis://127.0.0.1:${ports[1]}`,
          ENCRYPTION_KEY: newKey,
          ENCRYPTION_DECRYPT_KEYS: oldKey,
        },
      });
      // The card number and the address.
      expect(stdout).toMatch(/^[0-9a-f]{8} +primary +0 +2 +1$/m);
      expect(stdout).toMatch(/^[0-9a-f]{8} +decrypt +0 +0 +0 +yes$/m);

      command.kill('SIGKILL');
      await expect(closed(ports, 12_000)).resolves.toBe(true);
    },
    startDeadline + 30_000,
  );
});
