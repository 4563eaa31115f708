import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  RedisTlsError,
  RedisUnavailableError,
  type RedisConnection,
  type RedisModuleOptions,
  type RedisTlsOptions,
} from 'rednest';
import {
  type Certificates,
  makeCertificates,
  type RedisServer,
  startCluster,
  startSentinel,
} from 'rednest/testing';
import { ConnectionRecorder } from '../support/connection-recorder.js';
import { eventually } from '../support/eventually.js';
import { userLine } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { TEST_COMMANDS } from '../support/redis-application.js';
import { refusals } from '../support/server-view.js';

const CLIENT_HELLO = [0x16, 0x03];
const acl = [userLine(TEST_COMMANDS)];
const opened = new Opened();
let certificates: Certificates;
let strangers: Certificates;
let caFile: string;

beforeAll(async () => {
  [certificates, strangers] = await Promise.all([makeCertificates(), makeCertificates()]);
  caFile = join(await mkdtemp(join(tmpdir(), 'rednest-')), 'ca.pem');
  await writeFile(caFile, certificates.ca);
});
afterAll(() => rm(join(caFile, '..'), { recursive: true }));

function encrypted(key: string, passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(key).export(options).toString();
}

/** Opens and uses a shared, a subscribed and a dedicated connection. */
async function useAll(connection: RedisConnection): Promise<void> {
  expect(await connection.client.set('app:a', '1')).toBe('OK');
  expect(await connection.withDedicated({ key: 'app:a' }, (client) => client.get('app:a'))).toBe('1');
  const subscriber = connection.subscriber();
  const heard = new Promise((resolve) => subscriber.once('message', (_, text) => resolve(text)));
  await subscriber.subscribe('app:news');
  await connection.client.publish('app:news', 'hello');
  expect(await heard).toBe('hello');
}

/** On a connection that was closed at once nothing was sent. */
function expectOnlyTls(sent: readonly Buffer[]): void {
  for (const bytes of sent.filter(({ length }) => length > 0))
    expect([...bytes.subarray(0, 2)]).toEqual(CLIENT_HELLO);
}

async function failureOf(options: RedisModuleOptions): Promise<{ error: Error; after: number }> {
  const started = performance.now();
  const error: unknown = await opened.connection(options).catch((reason: unknown) => reason);
  if (!(error instanceof Error)) throw new Error('it started');
  return { error, after: performance.now() - started };
}

describe('a connection with TLS', () => {
  const rest = ({ host, port, username, password }: RedisServer['options']) => ({
    host,
    port,
    username,
    password,
  });
  const url = (scheme: string, { host, port, username, password }: RedisServer['options']) => ({
    url: `${scheme}://${username}:${password}@${host}:${port}`,
  });

  it.each<[string, (options: RedisServer['options']) => object]>([
    ['an authority as text', (options) => ({ ...rest(options), tls: { ca: certificates.ca } })],
    ['an authority as bytes', (options) => ({ ...rest(options), tls: { ca: Buffer.from(certificates.ca) } })],
    ['an authority as a file', (options) => ({ ...rest(options), tls: { caFile } })],
    ['a rediss:// URL', (options) => ({ ...url('rediss', options), tls: { caFile } })],
    ['a REDISS:// URL', (options) => ({ ...url('REDISS', options), tls: { caFile } })],
    ['TLS 1.3 at least', (options) => ({ ...rest(options), tls: { caFile, minVersion: 'TLSv1.3' } })],
    ['a name to expect', (options) => ({ ...rest(options), tls: { caFile, servername: 'localhost' } })],
    ['RESP2', (options) => ({ ...rest(options), tls: { caFile }, driver: { protocol: 2 } })],
  ])('sends nothing in plaintext, with %s', async (_, optionsFor) => {
    const server = await opened.guarded({ tls: { certificates } });
    const recorder = opened.add(await ConnectionRecorder.start(server));
    const options = optionsFor(recorder.optionsFor(server.options)) as RedisModuleOptions;
    const { connection, log } = await opened.connection(options);
    await useAll(connection);
    expect(recorder.sent).toHaveLength(3);
    expectOnlyTls(recorder.sent);
    expect(log.texts()).toEqual([]);
    expect(await refusals(server)).toEqual({});
  });

  it('accepts any certificate with rejectUnauthorized: false, and warns of it', async () => {
    const server = await opened.guarded({ tls: { certificates } });
    const tls = { ca: strangers.ca, rejectUnauthorized: false };
    const { connection, log } = await opened.connection({ ...server.options, tls });
    await useAll(connection);
    expect(log.texts()).toEqual([
      "Redis connection 'default': tls.rejectUnauthorized is false: any certificate is accepted, so the connection is encrypted, but not authenticated",
    ]);
  });

  it.each<[string, () => RedisTlsOptions]>([
    ['its key', () => certificates.client],
    [
      'its encrypted key',
      () => ({
        cert: certificates.client.cert,
        key: encrypted(certificates.client.key, 'pass'),
        passphrase: 'pass',
      }),
    ],
  ])('presents a client certificate with %s', async (_, client) => {
    const server = await opened.guarded({ tls: { certificates, clientAuth: true } });
    const { connection } = await opened.connection({ ...server.options, tls: { caFile, ...client() } });
    await useAll(connection);
  });
});

describe('a TLS handshake that fails', () => {
  it.each<[string, object, () => RedisTlsOptions | true, RegExp]>([
    ['another authority', {}, () => ({ ca: strangers.ca }), /certificate signature failure|unable to verify/],
    [
      'an authority that the system does not know',
      {},
      () => true,
      /self-signed certificate in certificate chain/,
    ],
    [
      'another name',
      {},
      () => ({ caFile, servername: 'redis.example.com' }),
      /redis\.example\.com\. is not in the cert's altnames: DNS:localhost/,
    ],
    [
      'no client certificate',
      { clientAuth: true },
      () => ({ caFile }),
      /TLS: tlsv13 alert certificate required$/,
    ],
    [
      "a stranger's client certificate",
      { clientAuth: true },
      () => ({ caFile, ...strangers.client }),
      /TLS: tlsv1 alert (decrypt error|unknown ca)$/,
    ],
  ])('fails the start at once, and says why: %s', async (_, server, tls, message) => {
    const { options } = await opened.guarded({ tls: { certificates, ...server } });
    const { error, after } = await failureOf({ ...options, tls: tls() });
    expect(error).toBeInstanceOf(RedisTlsError);
    expect(error.message).toMatch(/^Redis connection 'default' is not ready: /);
    expect(error.message).toMatch(message);
    expect(after).toBeLessThan(2_000);
  });

  it('fails the start at once when the server has no TLS of that version', async () => {
    const { options } = await opened.guarded({
      tls: { certificates },
      config: { 'tls-protocols': 'TLSv1.2' },
    });
    const { error } = await failureOf({ ...options, tls: { caFile, minVersion: 'TLSv1.3' } });
    expect(error).toBeInstanceOf(RedisTlsError);
    expect(error.message).toMatch(/TLS: tlsv1 alert protocol version$/);
  });

  it('asks whether the server expects TLS, when it has none itself', async () => {
    const { options } = await opened.guarded({ tls: { certificates } });
    const { error } = await failureOf({ ...options, tls: false, startupTimeout: 500 });
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect(error.message).toMatch(/ECONNRESET before any reply; does the server expect TLS on this port\?$/);
  });

  it('asks whether the server speaks TLS, when it does not answer the handshake', async () => {
    const { options } = await opened.guarded();
    const timeouts = { connectTimeout: 200, startupTimeout: 500 };
    const { error } = await failureOf({ ...options, tls: { caFile }, ...timeouts });
    expect(error.message).toMatch(/does the server speak TLS on this port\?$/);
  });
});

describe('TLS for Sentinels', () => {
  async function openGroup() {
    const group = opened.add(await startSentinel({ acl, tls: { certificates }, replicas: 0, sentinels: 1 }));
    return { group, nodes: group.options.sentinel.nodes };
  }

  it('is for the Sentinels and for the master', async () => {
    const { group } = await openGroup();
    const [sentinel, master] = [group.sentinels[0]!, group.servers[0]!];
    const toMaster = opened.add(await ConnectionRecorder.start(master));
    const toSentinel = opened.add(await ConnectionRecorder.start(sentinel));
    const admin = await sentinel.admin();
    await admin.call('SENTINEL', 'REMOVE', group.masterName);
    await admin.call('SENTINEL', 'MONITOR', group.masterName, toMaster.host, String(toMaster.port), '1');
    const nodes = [{ host: toSentinel.host, port: toSentinel.port }];
    const sentinelOptions = { masterName: group.masterName, nodes };
    const { connection } = await opened.connection({ ...group.options, sentinel: sentinelOptions });
    await useAll(connection);
    await eventually(() => expect(toSentinel.sent.length).toBeGreaterThan(3));
    expect(toMaster.sent.length).toBeGreaterThanOrEqual(3);
    expectOnlyTls([...toSentinel.sent, ...toMaster.sent]);
  });

  it.each<[string, () => RedisTlsOptions, RegExp]>([
    ['another authority', () => ({ ca: strangers.ca }), /certificate signature failure|unable to verify/],
    ['another name', () => ({ caFile, servername: 'redis.example.com' }), /is not in the cert's altnames/],
  ])('fails the start at once, and says why: %s', async (_, tls, message) => {
    const { group } = await openGroup();
    const { error, after } = await failureOf({ ...group.options, tls: tls() });
    expect(error).toBeInstanceOf(RedisTlsError);
    expect(error.message).toMatch(message);
    expect(after).toBeLessThan(2_000);
  });
});

describe('TLS for a Cluster', () => {
  it('is for every connection to every node', async () => {
    const { nodes, options } = opened.add(await startCluster({ acl, tls: { certificates } }));
    const recorders = await Promise.all(nodes.map((node) => ConnectionRecorder.start(node)));
    for (const recorder of recorders) opened.add(recorder);
    const addresses = recorders.map(({ host, port }) => ({ host, port }));
    const natMap = Object.fromEntries(
      nodes.map(({ host, port }, index) => [`${host}:${port}`, addresses[index]!]),
    );
    const { connection } = await opened.connection({ ...options, cluster: { nodes: addresses, natMap } });
    await useAll(connection);
    for (const key of ['app:b', 'app:c', 'app:d', 'app:e']) await connection.client.set(key, '1');
    const sent = recorders.flatMap((recorder) => recorder.sent);
    expect(sent.length).toBeGreaterThan(6);
    expectOnlyTls(sent);
  });

  it('fails the start at once when another authority signed the certificates', async () => {
    const { options } = opened.add(await startCluster({ acl, tls: { certificates } }));
    const { error, after } = await failureOf({ ...options, tls: { ca: strangers.ca } });
    expect(error).toBeInstanceOf(RedisTlsError);
    expect(after).toBeLessThan(2_000);
  });
});
