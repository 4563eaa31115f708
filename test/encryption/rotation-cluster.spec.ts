import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCluster, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { EncryptedApplication, testKey } from './fixtures/encrypted-application.js';

const OLD = testKey('aaaa0001');
const NEW = testKey('bbbb0002');
const ROTATED = { key: NEW, decryptKeys: [OLD], reencryptOnRead: false };

describe('a rotation on a Cluster', () => {
  const opened = new Opened();
  let cluster: RedisCluster;
  let masters: RedisServer[];
  let names: string[];
  /** In one slot, of the last master. */
  let moved: string[];
  beforeAll(async () => {
    cluster = await startCluster();
    masters = await cluster.masters();
    const tag = await tagOn(2);
    moved = Array.from({ length: 50 }, (_, number) => `{${tag}}:${number}`);
    names = [...Array.from({ length: 2_000 }, (_, number) => `v:${number}`), ...moved];
  });
  beforeEach(async () => {
    for (const master of masters) await master.observe((client) => client.flushall());
    const { store } = opened.add(await EncryptedApplication.start(cluster.options, { key: OLD }));
    await store.setMany(names.map((name) => [name, name] as const));
  });
  afterAll(() => cluster.stop());

  /** A hash tag whose slot the master has. */
  async function tagOn(position: number): Promise<string> {
    for (let number = 0; ; number++)
      if ((await cluster.nodeOfKey(`{t${number}}`)) === masters[position]) return `t${number}`;
  }

  async function start(): Promise<EncryptedApplication> {
    return opened.add(await EncryptedApplication.start(cluster.options, ROTATED));
  }

  async function expectAll(): Promise<void> {
    const after = opened.add(await EncryptedApplication.start(cluster.options, { key: NEW }));
    expect(await after.store.getMany(names)).toEqual(names);
    expect((await after.store.keyUsage()).keys).toMatchObject([{ values: names.length }]);
  }

  it('reaches every master, and a slot that is on its way from one to another', async () => {
    const slot = cluster.slotOfKey(moved[0]!);
    const migration = await cluster.beginSlotMigration({ slot, to: masters[0]! });
    await migration.moveKeys();
    const { store } = await start();
    expect(await store.rotate()).toMatchObject({
      completed: true,
      reencrypted: names.length,
      usage: { removable: [OLD.id] },
    });
    await migration.finish();
    await expectAll();
    await cluster.migrateSlot({ slot, to: masters[2]! });
  });

  it('walks again where a slot went to a master that it had walked through already', async () => {
    const { store, parts } = await start();
    const admin = await cluster.admin();
    const prefix = `encrypted:idx:{${await tagOn(1)}}:`;
    const token = `${OLD.id}.${'t'.repeat(43)}`;
    await admin.zadd(prefix + token, 0, 'record:1');
    // The rotation waits for whoever keeps the index: it is through with the first master then, and has not begun with the last.
    parts.reindexers.set(prefix, {
      reindex: async () => {
        await cluster.migrateSlot({ slot: cluster.slotOfKey(moved[0]!), to: masters[0]! });
        await admin.del(prefix + token);
        return { moved: 1, left: 0 };
      },
    });
    expect(await store.rotate()).toMatchObject({
      completed: true,
      reencrypted: names.length,
      reindexed: 1,
      usage: { removable: [OLD.id] },
    });
    await expectAll();
  });

  it('goes on over a failover', async () => {
    const { store } = await start();
    const sizes = (): Promise<number[]> =>
      Promise.all(cluster.nodes.map((node) => node.observe((client) => client.dbsize())));
    // What a replica does not have yet is lost with its master.
    await eventually(async () => (await sizes()).reduce((sum, size) => sum + size) === 2 * names.length);
    let killed: Promise<void> | undefined;
    const report = await store.rotate({
      concurrency: 20,
      onProgress: () => void (killed ??= masters[1]!.kill()),
    });
    await killed;
    expect(report).toMatchObject({ completed: true, refused: 0, usage: { removable: [OLD.id] } });
    await expectAll();
  }, 60_000);
});
