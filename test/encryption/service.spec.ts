import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import {
  EncryptedStore,
  encryptionChannel,
  EncryptionConfigurationError,
  EncryptionModule,
  EncryptionNotEncryptedError,
  EncryptionSerializationError,
  EncryptionService,
  EncryptionTamperedError,
  EncryptionUnknownKeyError,
  EncryptionUnsupportedError,
  getRedisConnectionToken,
  RedisModule,
  type EncryptionRootOptions,
  type RedisConnection,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { startApplication } from '../support/redis-application.js';

const OLD = { id: '1', key: randomBytes(32) };
const NEW = { id: '2', key: randomBytes(32) };

let server: RedisServer;
const applications: INestApplicationContext[] = [];
/** Before the rotation, after it, one that writes with the other suite, and one of another namespace. */
let [before, after, committing, elsewhere]: EncryptionService[] = [];

beforeAll(async () => {
  server = await startRedis();
  const start = async (options: EncryptionRootOptions): Promise<EncryptionService> => {
    const modules = [RedisModule.forRoot(server.options), EncryptionModule.forRoot(options)];
    const { app } = await startApplication(modules);
    applications.push(app);
    return app.get(EncryptionService);
  };
  before = await start({ key: OLD });
  after = await start({ key: NEW, decryptKeys: [OLD] });
  committing = await start({ key: NEW, suite: 'committing-aes-256-gcm' });
  elsewhere = await start({ key: NEW, namespace: 'elsewhere' });
});
afterAll(async () => {
  for (const app of applications) await app.close();
  await server[Symbol.asyncDispose]();
});

describe('encrypt and decrypt', () => {
  const values = [
    'Grüße \u{1f600}',
    '',
    'a\ud800',
    Buffer.from([0, 0xc1, 255]),
    { a: [1, null] },
    null,
    false,
    5,
  ];

  it('give back bytes, texts and JSON, as bytes and as text, with either suite', () => {
    for (const service of [after!, committing!]) {
      for (const value of values) {
        expect(service.decrypt(service.encrypt(value))).toEqual(value);
        const text = service.encryptToText(value, { context: 'a' });
        expect(text).toMatch(/^[\w-]+$/);
        expect(service.decrypt(text, { context: 'a' })).toEqual(value);
      }
    }
    expect(after!.decrypt(committing!.encrypt('a'))).toBe('a');
    // It has no commitment to the key, which is what was asked for.
    expect(() => committing!.decrypt(after!.encrypt('a'))).toThrow(EncryptionTamperedError);
  });

  it('want the context that it was encrypted with', () => {
    const envelope = after!.encrypt('a', { context: 'tenant:1' });
    expect(after!.decrypt(envelope, { context: Buffer.from('tenant:1') })).toBe('a');
    for (const context of ['tenant:2', 'tenant:1 ', undefined])
      expect(() => after!.decrypt(envelope, context === undefined ? {} : { context })).toThrow(
        EncryptionTamperedError,
      );
    expect(() => after!.decrypt(after!.encrypt('a'), { context: 'tenant:1' })).toThrow(
      EncryptionTamperedError,
    );
  });

  it('refuse options that are misspelt, and a value that JSON cannot say', () => {
    const wrong = { contxt: 'a' } as object;
    const calls = [() => after!.encrypt('a', wrong), () => after!.encryptToText('a', wrong)];
    for (const call of [...calls, () => after!.decrypt(after!.encrypt('a'), wrong)])
      expect(call).toThrow(EncryptionConfigurationError);
    expect(() => after!.encrypt(5n)).toThrow(EncryptionSerializationError);
  });

  it('leave what they are given as it was, and take a part of other memory', () => {
    const value = Buffer.from('value');
    const envelope = after!.encrypt(value);
    const memory = new Uint8Array(envelope.length + 9);
    memory.set(envelope, 4);
    const part = memory.subarray(4, 4 + envelope.length);
    const decrypted = after!.decrypt<Buffer>(part);
    decrypted.fill(0);
    expect([value.toString(), after!.decrypt<Buffer>(part).toString()]).toEqual(['value', 'value']);
  });

  it('refuse a text that was altered in any way, what Node would skip included', () => {
    const text = after!.encryptToText('some text');
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A';
      expect(() => after!.decrypt(text.slice(0, at) + other + text.slice(at + 1))).toThrow();
      expect(() => after!.decrypt(text.slice(0, at))).toThrow();
    }
    for (const altered of [
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      `${text}!`,
      `${text.slice(0, 40)}\n${text.slice(40)}`,
    ])
      expect(() => after!.decrypt(altered)).toThrow(EncryptionTamperedError);
    expect(() => after!.decrypt('some text')).toThrow(EncryptionNotEncryptedError);
  });

  it('tell apart why not', () => {
    expect(() => before!.decrypt(after!.encrypt('a'))).toThrow(EncryptionUnknownKeyError);
    expect(() => after!.decrypt(Buffer.from('{"a":1}'))).toThrow(EncryptionNotEncryptedError);
    const envelope = after!.encrypt('a');
    envelope[1] = 9;
    expect(() => after!.decrypt(envelope)).toThrow(EncryptionUnsupportedError);
  });

  it('of another application in this process are its own', () => {
    const counts = elsewhere!.stats();
    expect(() => elsewhere!.decrypt(after!.encrypt('a'))).toThrow(EncryptionTamperedError);
    expect(elsewhere!.stats()).toEqual({ ...counts, refused: counts.refused + 1 });
    expect(elsewhere!.keys).toEqual([{ id: '00000002', role: 'primary' }]);
  });

  it('and the store do not take each other\u2019s', async () => {
    const store = new EncryptedStore(after!);
    const admin = await server.admin();
    await store.set('service:a', 'a');
    const stored = (await admin.getBuffer('encrypted:service:a'))!;
    expect(() => after!.decrypt(stored)).toThrow(EncryptionTamperedError);
    await admin.set('encrypted:service:a', after!.encrypt('b'));
    await expect(store.get('service:a')).rejects.toThrow(EncryptionTamperedError);
  });
});

describe('inspect and isEncrypted', () => {
  it('say what an envelope is without its key', () => {
    const envelope = committing!.encryptToText({ a: 1 }, { context: 'a' });
    expect(before!.inspect(envelope)).toEqual({
      suite: 'committing-aes-256-gcm',
      keyId: '00000002',
      encoding: 'json',
      binding: 'key',
      hasContext: true,
      size: 7,
    });
    expect(before!.inspect(before!.encrypt('abc'))).toMatchObject({
      encoding: 'text',
      hasContext: false,
      size: 3,
    });
    expect(() => before!.inspect('abc')).toThrow(EncryptionNotEncryptedError);
  });

  it('tell envelopes from what is none', () => {
    const envelope = before!.encrypt('a');
    const text = envelope.toString('base64url');
    for (const one of [envelope, new Uint8Array(envelope), text]) expect(after!.isEncrypted(one)).toBe(true);
    for (const none of ['', 'wQ', 'wQ: a question', `${text} `, '{"a":1}', Buffer.from('Á'), Buffer.alloc(0)])
      expect(after!.isEncrypted(none)).toBe(false);
  });
});

describe('blind indexes', () => {
  it('find what was indexed before a rotation', () => {
    const token = before!.blindIndex('card', '4111 1111');
    expect(token).toMatch(/^00000001\.[\w-]{43}$/);
    expect(before!.blindIndexes('card', '4111 1111')).toEqual([token]);
    expect(after!.blindIndexes('card', '4111 1111')).toEqual([after!.blindIndex('card', '4111 1111'), token]);
    expect(after!.blindIndex('card', '4111 1111')).toMatch(/^00000002\./);
    expect(committing!.blindIndex('card', '4111 1111')).toBe(after!.blindIndex('card', '4111 1111'));
  });

  it('are the same for what is the same, and others for all else', () => {
    const token = (name: string, value: string | Uint8Array): string => after!.blindIndex(name, value);
    expect(token('name', 'caf\u00e9')).toBe(token('name', 'cafe\u0301'));
    expect(token('name', Buffer.from('a'))).toBe(token('name', 'a'));
    const different = [
      token('ab', 'c'),
      token('a', 'bc'),
      token('', 'abc'),
      token('ab', 'C'),
      token('ab', ''),
    ];
    expect(new Set(different).size).toBe(different.length);
  });
});

describe('what happens', () => {
  it('is counted, and a refusal is published with where and why, not what', () => {
    const seen: unknown[] = [];
    const listener = (message: unknown): void => void seen.push(message);
    const channel = encryptionChannel('refused');
    subscribe(channel, listener);
    try {
      const counts = before!.stats();
      const envelope = before!.encrypt('secret');
      before!.decrypt(envelope);
      expect(() => before!.decrypt(envelope, { context: 'b' })).toThrow();
      expect(() => before!.decrypt('text')).toThrow();
      expect(before!.stats()).toEqual({
        ...counts,
        encrypted: counts.encrypted + 1,
        decrypted: counts.decrypted + 1,
        refused: counts.refused + 2,
      });
    } finally {
      unsubscribe(channel, listener);
    }
    const connection = applications[0]!.get<RedisConnection>(getRedisConnectionToken());
    const place = { connectionId: connection.id, namespace: 'encrypted', key: '', field: '' };
    expect(seen).toEqual([
      { ...place, error: expect.any(EncryptionTamperedError) },
      { ...place, error: expect.any(EncryptionNotEncryptedError) },
    ]);
  });
});
