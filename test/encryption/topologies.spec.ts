import { describe, expect, it } from '@jest/globals';
import type { EncryptedStore, RedisModuleOptions } from 'rednest';
import { startCluster, startRedis, startSentinel } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { AFTER, openStore, OLD } from './fixtures/open-store.js';
import { useEveryMethod } from './fixtures/use-every-method.js';

const opened = new Opened();

interface Servers extends AsyncDisposable {
  readonly options: RedisModuleOptions;
}

const PLACES: readonly [string, () => Promise<Servers>][] = [
  ['a single server with mutual TLS', () => startRedis({ tls: { clientAuth: true } })],
  ['Sentinel', () => startSentinel({ replicas: 1 })],
  ['a Cluster', () => startCluster({ masters: 3, replicas: 0 })],
];

describe.each(PLACES)('EncryptedStore on %s', (_, start) => {
  it('does all that it does elsewhere', async () => {
    const { options } = opened.add(await start());
    const before = opened.add(await openStore(options, { key: OLD }));
    await useEveryMethod(before.store);
    await fill(before.store);
    const after = opened.add(await openStore(options, AFTER));
    await readAll(after.store);
    await eventually(() => after.service.stats().reencrypted === KEYS.length + 2);
    const next = opened.add(await openStore(options, { key: AFTER.key! }));
    await readAll(next.store);
  });
});

/** In many slots, some in one. */
const KEYS = Array.from({ length: 30 }, (_, position) =>
  position % 3 ? `key:${position}` : `{tag}:${position}`,
);

async function fill(store: EncryptedStore): Promise<void> {
  await store.setMany(
    KEYS.map((key) => [key, { key }] as const),
    { ttl: '1m' },
  );
  await store.hset('hash', { one: 1, other: 2 });
}

async function readAll(store: EncryptedStore): Promise<void> {
  expect(await store.getMany(KEYS)).toEqual(KEYS.map((key) => ({ key })));
  expect(await store.hgetall('hash')).toEqual({ one: 1, other: 2 });
}
