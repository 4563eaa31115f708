import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { startSentinel, type RedisServer, type SentinelGroup, type SentinelGroupOptions } from './index.js';
import { until } from './until.js';

const groups: SentinelGroup[] = [];
const clients: Redis[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) if (client.status !== 'end') client.disconnect();
  await Promise.all(groups.splice(0).map((group) => group.stop()));
});

async function start(options?: SentinelGroupOptions): Promise<SentinelGroup> {
  const group = await startSentinel(options);
  groups.push(group);
  return group;
}

/** A client that is told nothing but what `.options` says. */
async function connectTo({ options }: SentinelGroup): Promise<Redis> {
  const { sentinel, username, password, tls } = options;
  const client = new Redis({
    name: sentinel.masterName,
    sentinels: sentinel.nodes,
    lazyConnect: true,
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(typeof tls === 'object'
      ? { tls: { ...tls }, sentinelTLS: { ...tls }, enableTLSForSentinelMode: true }
      : {}),
  });
  client.on('error', () => {});
  clients.push(client);
  await client.connect();
  return client;
}

async function roleOf(server: RedisServer): Promise<string> {
  const [role] = await (await server.admin()).role();
  return String(role);
}

describe('startSentinel', () => {
  it('starts a master, two replicas in step and three Sentinels that know each other', async () => {
    const group = await start();
    expect(await Promise.all(group.servers.map(roleOf))).toEqual(['master', 'slave', 'slave']);
    expect(await group.master()).toBe(group.servers[0]);
    expect(group.sentinels).toHaveLength(3);
    for (const sentinel of group.sentinels) {
      const client = await sentinel.admin();
      expect(await client.call('SENTINEL', 'SENTINELS', 'main')).toHaveLength(2);
      expect(await client.call('SENTINEL', 'REPLICAS', 'main')).toHaveLength(2);
    }
    const client = await connectTo(group);
    await client.set('city', 'Ulm');
    expect(await client.wait(2, 500)).toBe(2);
  });

  it('makes another server master on demand, and the old one a replica', async () => {
    const group = await start({ masterName: 'atlas', replicas: 1, sentinels: 1 });
    const [first, second] = group.servers;
    const old = await first?.admin();
    expect(await group.failover()).toBe(second);
    await until(async () => (first && (await roleOf(first)) === 'slave') || undefined, {
      timeout: 5_000,
      what: 'Demotion of the old master',
    });
    await expect(old?.set('city', 'Ulm')).rejects.toThrow('READONLY');
    expect(await (await group.admin()).set('city', 'Ulm')).toBe('OK');
  });

  it('fails over when the master is killed, and takes it back as a replica: TLS, passwords and users everywhere', async () => {
    const group = await start({
      tls: { clientAuth: true },
      acl: ['app on >secret ~* &* +@all'],
      sentinelAuth: { password: 'watch' },
    });
    expect(group.options).toMatchObject({ username: 'app', sentinel: { password: 'watch' } });
    for (const server of [...group.servers, ...group.sentinels]) {
      const plain = new Redis({
        host: server.host,
        port: server.port,
        lazyConnect: true,
        retryStrategy: null,
      });
      plain.on('error', () => {});
      await expect(plain.connect()).rejects.toThrow();
    }
    const client = await connectTo(group);
    const master = await group.master();
    await client.set('city', 'Ulm');
    await client.wait(2, 1_000);
    await master.kill();
    const next = await group.waitForFailover();
    expect(next).not.toBe(master);
    expect(await group.master()).toBe(next);
    expect(await client.get('city')).toBe('Ulm');
    expect(await client.set('city', 'Bonn')).toBe('OK');
    await master.restart();
    await until(async () => (await roleOf(master)) === 'slave' || undefined, {
      timeout: 10_000,
      what: 'Return',
    });
  });

  it('fails over when the master is paused', async () => {
    const group = await start({ replicas: 1 });
    const master = await group.master();
    master.pause();
    expect(await group.waitForFailover()).toBe(group.servers[1]);
    await expect(group.waitForFailover({ timeout: 100 })).rejects.toThrow('did not happen within 100 ms');
  });

  it('pauses, resumes, kills, restarts and stops all of them', async () => {
    const group = await start({ replicas: 1, sentinels: 1, downAfter: 60_000 });
    const all = [...group.servers, ...group.sentinels];
    group.pause();
    expect(all.map(({ state }) => state)).toEqual(['paused', 'paused', 'paused']);
    await expect(group.master()).rejects.toThrow('No Sentinel answers');
    group.resume();
    expect(await group.master()).toBe(group.servers[0]);
    await group.kill();
    expect(all.map(({ state }) => state)).toEqual(['ended', 'ended', 'ended']);
    await group.restart();
    expect(await Promise.all(group.servers.map(roleOf))).toEqual(['master', 'slave']);
    group.pause();
    await group.stop();
    expect(all.map(({ pid }) => pid)).toEqual([undefined, undefined, undefined]);
    expect(Object.keys(group.logs())).toHaveLength(3);
  });
});
