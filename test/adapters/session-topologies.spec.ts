import { describe, expect, it } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { adapterAcl, guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { expiring, openStore } from './fixtures/session-store.js';

const opened = new Opened();

/** It needs none of what the connection needs for scripts and transactions. */
const acl = [
  `app on >guide-secret ${guideAcl()} resetchannels -eval -evalsha -multi ${adapterAcl('sessions')}`,
];

const single = async () => {
  const server = await startRedis({ acl, tls: true });
  return { place: server, servers: [server] };
};

const cluster = async () => {
  const place = await startCluster({ acl, tls: true, masters: 3, replicas: 0 });
  return { place, servers: place.nodes };
};

interface Started {
  readonly place: AsyncDisposable & { readonly options: RedisModuleOptions };
  readonly servers: readonly RedisServer[];
}

const PLACES: readonly [string, () => Promise<Started>][] = [
  ['a single server with TLS', single],
  ['a Cluster with TLS', cluster],
];

describe.each(PLACES)('sessions on %s', (_, start) => {
  it('can do all, with no more rights than needed', async () => {
    const { place, servers } = await start();
    opened.add(place);
    const { store } = await openStore(opened, place.options);
    const ids = Array.from({ length: 500 }, (__, position) => `id-${position}`).toSorted();
    await Promise.all(ids.map((id) => store.set(id, expiring(60_000, { is: id }))));
    expect(await store.get('id-7')).toMatchObject({ is: 'id-7' });
    await store.touch('id-7', expiring(90_000));
    await store.touch('never', expiring(90_000));
    expect(await store.length()).toBe(500);
    expect(await store.ids()).toEqual(ids);
    const sessions = (await store.all())!;
    expect(sessions.map(({ id }) => id).toSorted()).toEqual(ids);
    expect(sessions.every((session) => (session as { is?: string }).is === session.id)).toBe(true);
    await store.destroy('id-7');
    expect(await store.get('id-7')).toBeNull();
    await store.clear();
    expect(await store.ids()).toEqual([]);
    for (const server of servers) expect(await refusals(server)).toEqual({});
  });
});
