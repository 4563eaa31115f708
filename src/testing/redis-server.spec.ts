import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { prepareAccess } from './access.js';
import { findFreePorts } from './free-port.js';
import { makeCertificates, startRedis, type ServerOptions } from './index.js';
import { RedisServer, retryTakenPorts } from './redis-server.js';
import { launchAll } from './server-group.js';

const clients: Redis[] = [];
const servers: RedisServer[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) if (client.status !== 'end') client.disconnect();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options?: ServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

/** Connects as a user of the server would, and fails with the reason. */
async function connectTo(server: RedisServer, tls = server.options.tls): Promise<Redis> {
  const { host, port, username, password } = server.options;
  const client = new Redis({
    host,
    port,
    lazyConnect: true,
    retryStrategy: null,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(typeof tls === 'object' ? { tls: { ...tls } } : {}),
  });
  clients.push(client);
  let reason: Error | undefined;
  client.on('error', (error: Error) => (reason = error));
  await client.connect().catch((error: unknown) => {
    throw reason ?? error;
  });
  return client;
}

async function directoryOf(server: RedisServer): Promise<string> {
  const admin = await server.admin();
  const [, directory] = await admin.config('GET', 'dir');
  return String(directory);
}

describe('startRedis', () => {
  it('starts a server that persists nothing', async () => {
    const server = await start();
    const client = await connectTo(server);
    await client.set('city', 'Ulm');
    expect(await client.get('city')).toBe('Ulm');
    const admin = await server.admin();
    expect(await admin.config('GET', 'save')).toEqual(['save', '']);
    expect(await admin.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect(server.options).toEqual({ host: '127.0.0.1', port: server.port });
  });

  it('starts many at a time on ports of their own', async () => {
    await Promise.all([start(), start(), start(), start()]);
    expect(new Set(servers.map(({ port }) => port)).size).toBe(4);
    for (const server of servers) expect(await (await connectTo(server)).ping()).toBe('PONG');
  });

  it('asks for the password, which may be any text', async () => {
    const password = 'pass word "ü\\#';
    const server = await start({ password });
    expect(server.options.password).toBe(password);
    expect(await (await connectTo(server)).ping()).toBe('PONG');
    server.options.password = 'wrong';
    await expect(connectTo(server)).rejects.toThrow('WRONGPASS');
  });

  it('carries the first user with a password, and lets nobody in without', async () => {
    const server = await start({
      acl: ['viewer on nopass ~* +get', 'app on >secret ~app:* +@read +@write +@connection +info'],
    });
    expect(server.options).toMatchObject({ username: 'app', password: 'secret' });
    const client = await connectTo(server);
    await client.set('app:1', 'x');
    await expect(client.set('other', 'x')).rejects.toThrow('NOPERM');
    delete server.options.username;
    delete server.options.password;
    await expect(connectTo(server)).rejects.toThrow('NOAUTH');
  });

  it('leaves the default user to a line of its own', async () => {
    const server = await start({ acl: ['default on nopass ~open:* &* +@all'] });
    const client = await connectTo(server);
    await client.set('open:1', 'x');
    await expect(client.set('closed', 'x')).rejects.toThrow('NOPERM');
    expect(await (await server.admin()).set('closed', 'x')).toBe('OK');
  });

  it('applies directives, and the caller has the last word', async () => {
    const server = await start({
      config: { maxmemory: '10mb', save: '60 1', 'client-output-buffer-limit': 'normal 1mb 0 0' },
    });
    const admin = await server.admin();
    expect(await admin.config('GET', 'maxmemory')).toEqual(['maxmemory', '10485760']);
    expect(await admin.config('GET', 'save')).toEqual(['save', '60 1']);
  });

  it('rejects with the last lines of a server that does not start', async () => {
    await expect(startRedis({ config: { 'no-such-directive': '1' } })).rejects.toThrow(
      /ended while starting \(exit code 1\):[^]*no-such-directive/,
    );
    await expect(startRedis({ config: { port: '1' } })).rejects.toThrow('sets port itself');
    await expect(startRedis({ acl: ['app on\nport 1'] })).rejects.toThrow('must be one line');
  });

  it('takes another port when one was taken in between', async () => {
    const [taken, free] = await findFreePorts({ count: 2 });
    const thief = createServer((socket) => socket.resume()).listen(taken, '127.0.0.1');
    await once(thief, 'listening');
    const access = await prepareAccess({});
    const ports = [taken, free];
    const server = await retryTakenPorts(() => {
      return RedisServer.launch({ access, port: ports.shift() ?? 0, directives: [] });
    });
    servers.push(server);
    expect(server.port).toBe(free);
    thief.close();
    await once(thief, 'close');
  });

  it('stops those that have started when one of several does not', async () => {
    const access = await prepareAccess({});
    const [port = 0, other = 0] = await findFreePorts({ count: 2 });
    const good = { access, port, directives: [] };
    await expect(launchAll([good, { ...good, port: other, config: { 'no-such': '1' } }])).rejects.toThrow(
      'no-such',
    );
    await expect(canConnect(port)).resolves.toBe(false);
  });

  it('is gone with its directory after stop, which may be called twice, and disposes', async () => {
    let directory = '';
    let port = 0;
    {
      await using server = await startRedis();
      directory = await directoryOf(server);
      port = server.port;
      expect(existsSync(directory)).toBe(true);
      await server.stop();
      expect(server.logs().join('\n')).toContain('Ready to accept connections');
    }
    expect(existsSync(directory)).toBe(false);
    await expect(canConnect(port)).resolves.toBe(false);
  });
});

describe('startRedis with TLS', () => {
  it('speaks TLS only, with a certificate of an authority of its own', async () => {
    const server = await start({ tls: true, password: 'secret' });
    expect(await (await connectTo(server)).ping()).toBe('PONG');
    expect(await (await server.admin()).config('GET', 'port')).toEqual(['port', '0']);
    const { ca } = await makeCertificates();
    await expect(connectTo(server, { ca })).rejects.toThrow(/certificate/);
    await expect(connectTo(server, false)).rejects.toThrow();
  });

  it('asks clients for a certificate, if wanted', async () => {
    const server = await start({ tls: { clientAuth: true } });
    const { tls } = server.options;
    expect(await (await connectTo(server)).ping()).toBe('PONG');
    if (typeof tls !== 'object' || !tls.ca) throw new Error('TLS options expected');
    await expect(connectTo(server, { ca: tls.ca })).rejects.toThrow();
    const stranger = await makeCertificates();
    await expect(connectTo(server, { ca: tls.ca, ...stranger.client })).rejects.toThrow();
  });

  it('takes given certificates', async () => {
    const certificates = await makeCertificates();
    await start({ tls: { certificates } });
    const other = await start({ tls: { certificates } });
    expect(await (await connectTo(other, { ca: certificates.ca, servername: 'localhost' })).ping()).toBe(
      'PONG',
    );
  });
});

describe('faults of a server', () => {
  it('is killed, and restarted on the same port without its data', async () => {
    const server = await start({ password: 'secret' });
    const admin = await server.admin();
    await admin.set('city', 'Ulm');
    const before = server.pid;
    await server.kill();
    expect(server.pid).toBeUndefined();
    expect(() => server.pause()).toThrow('does not run');
    await expect(connectTo(server)).rejects.toThrow('ECONNREFUSED');
    await expect(server.admin()).rejects.toThrow();
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await (await connectTo(server)).get('city')).toBeNull();
    expect(await server.admin()).toBe(admin);
    expect(await admin.ping()).toBe('PONG');
  });

  it('keeps data over kill and restart where persistence is asked for', async () => {
    const server = await start({ config: { appendonly: 'yes' } });
    await (await server.admin()).set('city', 'Ulm');
    await server.kill();
    await server.restart();
    expect(await (await server.admin()).get('city')).toBe('Ulm');
    await server.restart();
    expect(await (await server.admin()).get('city')).toBe('Ulm');
  });

  it('is silent while paused, and answers what waited when resumed', async () => {
    const server = await start();
    const client = await connectTo(server);
    server.pause();
    let answered = false;
    const reply = client.ping().finally(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(answered).toBe(false);
    server.resume();
    expect(await reply).toBe('PONG');
  });

  it('can be killed, restarted and stopped while it is paused', async () => {
    const server = await start();
    server.pause();
    await server.kill();
    await server.restart();
    server.pause();
    await server.restart();
    expect(await (await connectTo(server)).ping()).toBe('PONG');
    server.pause();
    await server.stop();
    await expect(canConnect(server.port)).resolves.toBe(false);
    await expect(server.restart()).rejects.toThrow('stopped for good');
  });

  it('rejects a restart that fails, and can be restarted later', async () => {
    const server = await start();
    await server.kill();
    const thief = createServer((socket) => socket.resume()).listen(server.port, '127.0.0.1');
    await once(thief, 'listening');
    await expect(server.restart()).rejects.toThrow(/already in use/i);
    thief.close();
    await once(thief, 'close');
    await server.restart();
    expect(await (await connectTo(server)).ping()).toBe('PONG');
  });
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
