import { describe, expect, it } from '@jest/globals';
import { IsString } from 'class-validator';
import { Encrypted, type EncryptedRecords, type EncryptedStore, type RedisModuleOptions } from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { AFTER, OLD, openStore } from './fixtures/open-store.js';
import { useEveryMethod } from './fixtures/use-every-method.js';

const opened = new Opened();

const USER = { username: 'app', password: 'guide-secret' };

/** What both guides together allow, with the connection's own keys and channels taken out again: the module has to do with its own. */
const RULES = `${guideAcl()} resetkeys resetchannels ${guideAcl('encryption')}`;

const acl = [`${USER.username} on >${USER.password} ${RULES}`];

class Card {
  @IsString() holder!: string;
  @Encrypted({ index: true }) @IsString() number!: string;
}

/** What is left afterwards is under the old key, or not encrypted. */
async function fill(store: EncryptedStore, records: EncryptedRecords): Promise<void> {
  await useEveryMethod(store);
  await store.setMany({ a: 1, b: 2 });
  await store.hset('hash', { field: 1 });
  await store.hset('hash two', { field: 1 });
  const cards = records.for(Card);
  for (const id of ['1', '2', '3']) await cards.save(id, { holder: 'Ada', number: '4111' });
  await cards.save('1', { holder: 'Ada', number: '5555' }, { ttl: '1h' });
  await cards.save('1', { holder: 'Bob', number: '5555' });
  expect(await cards.delete('3')).toBe(true);
  // An entry of the index that was to expire, and now is not.
  await cards.save('4', { holder: 'Ada', number: '6011' }, { ttl: '1h' });
  await cards.save('5', { holder: 'Ada', number: '6011' });
}

/** What a replica does that has the new key. */
async function renew(options: RedisModuleOptions): Promise<void> {
  const migratePlaintext = { until: new Date(Date.now() + 3_600_000) };
  const { store, service, records } = opened.add(await openStore(options, { ...AFTER, migratePlaintext }));
  expect(await store.getMany(['a', 'plain'])).toEqual([1, 'text']);
  expect(await store.hgetall('hash')).toEqual({ field: 1 });
  await eventually(() => expect(service.stats()).toMatchObject({ reencrypted: 3, migrated: 1 }));
  const cards = records.for(Card);
  expect(await cards.load('1')).toEqual({ holder: 'Bob', number: '5555' });
  const report = await store.rotate();
  expect(report.usage?.removable).toHaveLength(1);
  expect(await store.keyUsage()).toMatchObject({ removable: report.usage?.removable });
  const found = await cards.find('number', '4111');
  expect(found.map(({ id }) => id)).toEqual(['2']);
}

async function setPlain(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    const isSet = await (await server.admin()).set('app:plain', 'text').then(Boolean, () => false);
    if (isSet) return;
  }
}

/** What the guide allows for the module, and nobody has done. */
async function unused(servers: readonly RedisServer[]): Promise<string[]> {
  const stats = await Promise.all(servers.map(async (server) => (await server.admin()).info('commandstats')));
  const rules = guideAcl('encryption').split(' ');
  const commands = rules.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1));
  return commands.filter((command) => !stats.join().includes(`cmdstat_${command}:`));
}

describe('the smallest ACL of the guide', () => {
  it.each([
    ['a single server', () => startRedis({ acl })],
    ['a Cluster', () => startCluster({ masters: 3, replicas: 0, acl })],
  ])('is enough for all that the module does on %s, and grants nothing more', async (_, start) => {
    const servers = opened.add(await start());
    const options = { ...servers.options, ...USER };
    const nodes = 'nodes' in servers ? servers.nodes : [servers];
    const before = opened.add(await openStore(options, { key: OLD }));
    await fill(before.store, before.records);
    await setPlain(nodes);
    await renew(options);
    // Some of it is done in the background.
    await eventually(async () =>
      expect(await unused(nodes)).toEqual('nodes' in servers ? [] : ['cluster|nodes']),
    );
    for (const node of nodes) expect(await refusals(node)).toEqual({});
  });
});
