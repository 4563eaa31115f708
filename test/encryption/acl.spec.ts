import { describe, expect, it } from '@jest/globals';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { AFTER, OLD, openStore } from './fixtures/open-store.js';
import { useEveryMethod } from './fixtures/use-every-method.js';

const opened = new Opened();

const USER = { username: 'app', password: 'guide-secret' };

/** What both guides together allow, with the connection's own keys and channels taken out again: the store has to do with its own. */
const RULES = `${guideAcl()} resetkeys resetchannels ${guideAcl('encryption')}`;

const acl = [`${USER.username} on >${USER.password} ${RULES}`];

type Servers = Pick<RedisServer, 'options'> & { readonly nodes?: readonly RedisServer[] };

describe('the smallest ACL of the guide', () => {
  it.each([
    ['a single server', () => startRedis({ acl })],
    ['a Cluster', () => startCluster({ masters: 3, replicas: 0, acl })],
  ])('is enough for all that the store does on %s', async (_, start) => {
    const servers = opened.add(await start());
    const options = { ...servers.options, ...USER };
    const nodes = 'nodes' in servers ? servers.nodes : [servers];
    const before = opened.add(await openStore(options, { key: OLD }));
    await useEveryMethod(before.store);
    await before.store.set('a', 1);
    await before.store.hset('hash', { field: 1 });
    const after = opened.add(await openStore(options, AFTER));
    expect(await after.store.getMany(['a'])).toEqual([1]);
    expect(await after.store.hgetall('hash')).toEqual({ field: 1 });
    await eventually(() => after.service.stats().reencrypted === 2);
    await migrate(nodes, options);
    for (const node of nodes) expect(await refusals(node)).toEqual({});
  });
});

async function migrate(nodes: readonly RedisServer[], options: Servers['options']): Promise<void> {
  const migratePlaintext = { until: new Date(Date.now() + 3_600_000) };
  const { store, service } = opened.add(await openStore(options, { key: OLD, migratePlaintext }));
  const key = 'app:plain';
  const owner = await ownerOf(nodes, key);
  await (await owner.admin()).set(key, 'text');
  expect(await store.get('plain')).toBe('text');
  await eventually(() => service.stats().migrated === 1);
}

/** The node that takes what is written to a key. */
async function ownerOf(nodes: readonly RedisServer[], key: string): Promise<RedisServer> {
  for (const node of nodes) {
    const isOwner = await (await node.admin()).exists(key).then(
      () => true,
      () => false,
    );
    if (isOwner) return node;
  }
  throw new Error('No node has the slot');
}
