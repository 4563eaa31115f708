import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisClusterError, RedisPermissionError } from 'rednest';
import { startCluster, type RedisCluster, type RedisServer } from 'rednest/testing';
import { Rotation } from '../../src/encryption/rotation/rotation.js';
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

  async function start(user = {}): Promise<EncryptedApplication> {
    return opened.add(await EncryptedApplication.start({ ...cluster.options, ...user }, ROTATED));
  }

  /** Does something when a rotation is through with the first master, and has not begun with the last: it waits for whoever keeps an index. */
  async function betweenMasters(
    { parts }: EncryptedApplication,
    work: () => Promise<unknown>,
  ): Promise<void> {
    const admin = await cluster.admin();
    const prefix = `encrypted:idx:{${await tagOn(1)}}:`;
    const token = `${OLD.id}.${'t'.repeat(43)}`;
    await admin.zadd(prefix + token, 0, 'record:1');
    parts.reindexers.set(prefix, {
      reindex: async () => {
        await work();
        await admin.del(prefix + token);
        return { moved: 1, left: 0 };
      },
    });
  }

  async function expectAll(): Promise<void> {
    const after = opened.add(await EncryptedApplication.start(cluster.options, { key: NEW }));
    expect(await after.store.getMany(names)).toEqual(names);
    expect((await after.store.keyUsage()).keys).toMatchObject([{ values: names.length }]);
  }

  it('does not say that all is done while a slot is on its way from one master to another', async () => {
    const slot = cluster.slotOfKey(moved[0]!);
    const migration = await cluster.beginSlotMigration({ slot, to: masters[0]! });
    const application = await start();
    await betweenMasters(application, () => migration.moveKeys());
    const { store } = application;
    const report = await store.rotate();
    expect(report).toMatchObject({ completed: false, reencrypted: names.length, usage: undefined });
    expect(report.failure).toBeInstanceOf(RedisClusterError);
    expect(await store.keyUsage()).toMatchObject({ keys: [{}, { values: 0 }], removable: [] });
    await migration.finish();
    expect(await store.rotate({ resume: report.resume })).toMatchObject({
      completed: true,
      failure: undefined,
      usage: { removable: [OLD.id] },
    });
    await expectAll();
    await cluster.migrateSlot({ slot, to: masters[2]! });
  });

  it('does not say so either where it may not ask for slots, or cannot tell masters apart', async () => {
    const user = { username: 'limited', password: 'limited' };
    const rules = ['on', `>${user.password}`, '~*', '&*', '+@all', '-cluster|nodes'];
    for (const node of cluster.nodes)
      await node.observe((client) => client.acl('SETUSER', user.username, ...rules));
    const { store, parts, log } = await start(user);
    const refused = await store.rotate();
    expect(refused).toMatchObject({ completed: false, reencrypted: names.length });
    expect(refused.failure).toBeInstanceOf(RedisPermissionError);
    expect(await store.keyUsage()).toMatchObject({ removable: [] });
    expect(log.texts('EncryptionModule').filter((line) => line.includes('cluster|nodes'))).toHaveLength(2);

    for (const master of parts.connection.masters())
      master.info = async () => 'run_id:of-a-service-that-does-not-tell';
    const mistaken = await new Rotation(parts, 'encrypted', 300).rotate();
    expect(mistaken).toMatchObject({ completed: false, failure: { code: 'REDIS_CLUSTER' } });
    expect(mistaken.failure?.message).toMatch(/same run_id/);
  });

  it('walks again where a slot went to a master that it had walked through already', async () => {
    const application = await start();
    await betweenMasters(application, () =>
      cluster.migrateSlot({ slot: cluster.slotOfKey(moved[0]!), to: masters[0]! }),
    );
    expect(await application.store.rotate()).toMatchObject({
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
