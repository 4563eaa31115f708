import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { FaultProxy, startRedis, type RedisServer } from './index.js';

let echo: Server;
let accepted: Socket[];
let proxy: FaultProxy;
let sockets: Socket[];

beforeEach(async () => {
  accepted = [];
  sockets = [];
  echo = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  const address = echo.address();
  if (typeof address !== 'object' || address === null) throw new Error('An address was expected');
  proxy = await FaultProxy.start({ host: '127.0.0.1', port: address.port });
});

afterEach(async () => {
  await proxy.stop();
  for (const socket of [...sockets, ...accepted]) socket.destroy();
  echo.close();
  await once(echo, 'close');
});

async function open(): Promise<Socket> {
  const socket = connect(proxy.port, proxy.host);
  sockets.push(socket);
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

async function read(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

async function say(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  return read(socket);
}

describe('FaultProxy', () => {
  it('passes bytes on, and counts them and the connections', async () => {
    const socket = await open();
    expect(await say(socket, 'hello')).toBe('hello');
    expect(proxy.bytes).toEqual({ up: 5, down: 5, swallowed: { up: 0, down: 0 } });
    expect(proxy.connections).toBe(1);
    await open().then((second) => say(second, 'x'));
    expect(proxy.connections).toBe(2);
  });

  it('passes a large amount in order', async () => {
    const sent = Buffer.alloc(8_000_000, 'abcdefghij');
    const socket = await open();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.end(sent);
    await once(socket, 'end');
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it('passes the end of a connection on, from either side', async () => {
    const first = await open();
    await say(first, 'x');
    first.end();
    await once(first, 'close');
    const second = await open();
    await say(second, 'x');
    accepted.at(-1)?.destroy();
    await once(second, 'end');
  });

  it('closes a client when the server cannot be reached', async () => {
    echo.close();
    await once(echo, 'close');
    const socket = await open();
    await once(socket, 'close');
    expect(proxy.connections).toBe(0);
    await once(echo.listen(0, '127.0.0.1'), 'listening');
  });

  it('cuts connections, and accepts new ones', async () => {
    const socket = await open();
    await say(socket, 'x');
    const [upstream] = accepted;
    if (!upstream) throw new Error('A connection was expected');
    const closed = [once(socket, 'close'), once(upstream, 'close')];
    proxy.cut();
    await Promise.all(closed);
    expect(proxy.connections).toBe(0);
    expect(await say(await open(), 'again')).toBe('again');
  });

  it.each(['up', 'down', 'both'] as const)('delays %s, in order', async (direction) => {
    const socket = await open();
    await say(socket, 'x');
    proxy.delay(200, direction);
    const started = performance.now();
    socket.write('slow');
    await sleep(60);
    proxy.delay(0);
    // Not delayed itself, but it cannot overtake.
    socket.write('er');
    let text = '';
    while (text.length < 6) text += await read(socket);
    expect(text).toBe('slower');
    expect(performance.now() - started).toBeGreaterThanOrEqual(199);
  });

  it('delivers at once what is delayed when it is restored', async () => {
    const socket = await open();
    await say(socket, 'x');
    proxy.delay(60_000);
    socket.write('late');
    await sleep(20);
    await proxy.restore();
    expect(await read(socket)).toBe('late');
  });

  it('swallows what the client sends', async () => {
    const socket = await open();
    await say(socket, 'x');
    proxy.swallow('up');
    socket.write('lost');
    await sleep(50);
    expect(proxy.bytes).toMatchObject({ up: 1, swallowed: { up: 4, down: 0 } });
    await proxy.restore();
    expect(await say(socket, 'heard')).toBe('heard');
  });

  it('swallows what the server answers', async () => {
    const socket = await open();
    await say(socket, 'x');
    proxy.swallow('down');
    socket.write('lost');
    await sleep(50);
    expect(proxy.bytes).toMatchObject({ up: 5, down: 1, swallowed: { up: 0, down: 4 } });
  });

  it('hides that the server has closed until it is restored', async () => {
    const socket = await open();
    await say(socket, 'x');
    let ended = false;
    const end = once(socket, 'end').then(() => (ended = true));
    proxy.swallow();
    accepted[0]?.destroy();
    await sleep(50);
    expect(ended).toBe(false);
    expect(proxy.connections).toBe(1);
    await proxy.restore();
    await end;
  });

  it('refuses new connections, leaves open ones, and accepts on the same port when restored', async () => {
    const socket = await open();
    await say(socket, 'x');
    proxy.refuse();
    proxy.refuse();
    await expect(open()).rejects.toThrow('ECONNREFUSED');
    expect(await say(socket, 'still')).toBe('still');
    await proxy.restore();
    expect(await say(await open(), 'new')).toBe('new');
  });

  it('stops in the middle of faults, twice', async () => {
    const socket = await open();
    await say(socket, 'x');
    proxy.delay(60_000);
    proxy.swallow('up');
    socket.write('lost');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await proxy.stop();
    await proxy.stop();
    await closed;
    await expect(open()).rejects.toThrow('ECONNREFUSED');
  });
});

describe('FaultProxy before Redis', () => {
  let server: RedisServer;

  afterEach(() => server.stop());

  it('is reached with the options of the server, TLS too', async () => {
    server = await startRedis({ tls: true, password: 'secret' });
    await using front = await FaultProxy.start(server);
    const options = front.optionsFor(server.options);
    expect(options).toEqual({ ...server.options, port: front.port });
    const { host, port, password, tls } = options;
    if (password === undefined || typeof tls !== 'object') throw new Error('Options expected');
    const client = new Redis({ host, port, password, tls: { ...tls } });
    expect(await client.ping()).toBe('PONG');
    expect(front.connections).toBe(1);
    client.disconnect();
    await once(client, 'end');
  });
});
