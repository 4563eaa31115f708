import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { EncryptedStore, EncryptionModule, EncryptionService, EncryptionTamperedError, RedisModule } from 'rednest';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { eventually } from '../support/eventually.js';

const opened = new Opened();
const [OLD, NEW] = [randomBytes(32), randomBytes(32)];

async function start(options: object, redis: object) {
  const { app } = await startApplication([RedisModule.forRoot(redis), EncryptionModule.forRoot(options)]);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  return { store: app.get(EncryptedStore), service: app.get(EncryptionService) };
}

describe('EncryptedStore', () => {
  it('keeps values', async () => {
    const server = await opened.server({});
    const { store } = await start({ key: OLD }, server.options);
    await store.set('a', { b: 1 }, { ttl: '1m' });
    expect(await store.get('a')).toEqual({ b: 1 });
    const admin = await server.admin();
    const raw = (await admin.getBuffer('encrypted:a'))!;
    await admin.set('encrypted:b', raw);
    await expect(store.get('b')).rejects.toThrow(EncryptionTamperedError);
    const next = await start({ key: NEW, decryptKeys: [OLD] }, server.options);
    expect(await next.store.get('a')).toEqual({ b: 1 });
    await eventually(async () => !(await admin.getBuffer('encrypted:a'))!.equals(raw));
    expect(await admin.pttl('encrypted:a')).toBeGreaterThan(50_000);
    await expect(store.get('a')).rejects.toThrow(/key [0-9a-f]{8}, which is not/);
    await next.store.hset('h', { x: 'y', z: Buffer.from('q') });
    expect(await next.store.hgetall('h')).toEqual({ x: 'y', z: Buffer.from('q') });
  });
});
