import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  EncryptedStore,
  EncryptionModule,
  EncryptionService,
  RedisModule,
  type EncryptionRootOptions,
} from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

const opened = new Opened();

async function start(server: RedisServer, options: EncryptionRootOptions) {
  const modules = [RedisModule.forRoot(server.options), EncryptionModule.forRoot(options)];
  const { app } = await startApplication(modules);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  return { store: app.get(EncryptedStore), service: app.get(EncryptionService) };
}

/** Bytes as they are, and as text: in hexadecimal, and in base64 wherever in another text they begin. */
function formsOf(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]);
    return (['base64', 'base64url'] as const).map((encoding) => text.toString(encoding).slice(4, -4));
  });
  return [bytes, ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

/** What is on the server's disk: the dump, and the log of what was written. */
async function filesOf(server: RedisServer): Promise<{ dump: Buffer; log: Buffer }> {
  const admin = await server.admin();
  await admin.save();
  const [, directory] = (await admin.config('GET', 'dir')) as [string, string];
  const entries = await readdir(directory, { recursive: true });
  const read = async (suffix: string): Promise<Buffer> => {
    const files = entries
      .filter((entry) => entry.endsWith(suffix))
      .map((entry) => readFile(join(directory, entry)));
    return Buffer.concat(await Promise.all(files));
  };
  return { dump: await read('dump.rdb'), log: await read('.aof') };
}

describe('the disk of Redis', () => {
  it('has neither what was encrypted nor a key, and a planted plaintext is found', async () => {
    const server = await opened.server({ config: { rdbcompression: 'no', appendonly: 'yes' } });
    const [old, key] = [randomBytes(32), randomBytes(32)];
    const names = ['text', 'json', 'bytes', 'one', 'two', 'enveloped', 'inText', 'reencrypted'] as const;
    const secrets = names.map((name) => [name, `${name}-${randomBytes(12).toString('base64url')}`] as const);
    const secret = Object.fromEntries(secrets) as Record<(typeof names)[number], string>;
    const planted = `planted-${randomBytes(12).toString('base64url')}`;

    const before = await start(server, { key: old });
    await before.store.set('d', secret.reencrypted);
    const { store, service } = await start(server, { key, decryptKeys: [old.toString('base64')] });
    await store.set('a', secret.text, { context: 'tenant' });
    await store.setMany({ b: { nested: [secret.json] }, c: Buffer.from(secret.bytes) });
    await store.hset('h', { one: secret.one, two: { two: secret.two } });
    const admin = await server.admin();
    await admin.set('envelope', service.encrypt(secret.enveloped));
    await admin.rpush('envelopes', service.encryptToText(secret.inText));
    expect(await store.get('d')).toBe(secret.reencrypted);
    await eventually(() => expect(service.stats().reencrypted).toBe(1), 10_000);
    await admin.set('planted', planted);

    const { dump, log } = await filesOf(server);
    for (const file of [dump, log]) {
      expect(file.includes(planted)).toBe(true);
      for (const text of Object.values(secret))
        expect(formsOf(Buffer.from(text)).filter((form) => file.includes(form))).toEqual([]);
      for (const each of [key, old])
        expect([each, each.subarray(0, 16)].flatMap(formsOf).filter((form) => file.includes(form))).toEqual(
          [],
        );
    }
    // It is there, encrypted: what is looked through is not an empty file.
    for (const name of ['a', 'b', 'c', 'd']) {
      const raw = (await admin.getBuffer(`encrypted:${name}`))!;
      expect([dump.includes(raw), log.includes(raw)]).toEqual([true, true]);
    }
  });
});
