import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { deriveKeyId, parseKeyId, showKeyId } from './key-id.js';
import { KeyRing } from './key-ring.js';
import { parseKey } from './parse-key.js';
import { RingKey } from './ring-key.js';
import { weaknessOf } from './weak-key.js';

const randomKey = fc.noShrink(fc.constant(null).map(() => randomBytes(32)));

describe('a random key', () => {
  it('is read in each way to write it, and is never too weak', () => {
    const check = (key: Buffer): void => {
      const hex = key.toString('hex');
      const base64 = key.toString('base64');
      const written = [key, new Uint8Array(key), hex, hex.toUpperCase(), base64, base64.replace(/=+$/, '')];
      const parsed = [...written, key.toString('base64url'), ` ${hex}\n`].map(parseKey);
      expect(parsed.every((each) => 'bytes' in each && each.bytes.equals(key))).toBe(true);
      expect(weaknessOf(key)).toBeUndefined();
    };
    fc.assert(fc.property(randomKey, check), { numRuns: 200 });
  });

  it('is read from bytes of another realm', () => {
    const bytes = runInNewContext('Uint8Array.from({ length: 32 }, (_, at) => at * at)') as Uint8Array;
    expect(parseKey(bytes)).toEqual({ bytes: Buffer.from(bytes) });
  });

  it('is copied: what reads it may overwrite it', () => {
    const key = randomBytes(32);
    const copy = Buffer.from(key);
    const parsed = parseKey(key) as { bytes: Buffer };
    parsed.bytes.fill(0);
    expect(key).toEqual(copy);
  });
});

describe('parseKey', () => {
  it.each([
    ['', 'is empty'],
    ['   ', 'is empty'],
    [undefined, 'is neither text nor bytes'],
    [5, 'is neither text nor bytes'],
    [{}, 'is neither text nor bytes'],
    [Buffer.alloc(16, 5), 'has 16 bytes'],
    [new Uint8Array(33), 'has 33 bytes'],
    ['ab'.repeat(16), 'has 32 hexadecimal characters'],
    ['ab'.repeat(31), 'has 62 hexadecimal characters'],
    ['ab'.repeat(33), 'has 66 hexadecimal characters'],
    [Buffer.alloc(31, 200).toString('base64'), 'has 31 bytes'],
    [Buffer.alloc(64, 200).toString('base64'), 'has 64 bytes'],
    ['correct horse battery staple', 'is neither hexadecimal nor base64'],
    [`${'Z'.repeat(42)}B`, 'is neither hexadecimal nor base64'],
    ['Пароль', 'is neither hexadecimal nor base64'],
    ['-----BEGIN PRIVATE KEY-----', 'is neither hexadecimal nor base64'],
  ])('refuses %p: it %s', (given, fault) => {
    expect(parseKey(given)).toEqual({ fault: expect.stringContaining(`${fault}: a key is 64 hexadecimal`) });
  });

  it('shows no part of what it refuses', () => {
    const check = (text: string): void => {
      const { fault } = parseKey(text) as { fault?: string };
      if (fault) expect(fault).not.toContain(text.trim().slice(0, 8) || 'nothing');
    };
    fc.assert(fc.property(fc.stringMatching(/^[a-f0-9XYZ]{12,70}$/), check));
  });
});

describe('weaknessOf', () => {
  const counting = Buffer.from(Array.from({ length: 32 }, (_, at) => at + 1));
  it.each([
    ['all zeros', Buffer.alloc(32), /all zeros/],
    ['one byte', Buffer.alloc(32, 0xff), /too little entropy/],
    ['few different bytes', Buffer.from('01020304f5f6f7f8'.repeat(4), 'hex'), /too little entropy/],
    ['counting', counting, /too little entropy/],
    ['counting down by three', Buffer.from(counting.map((byte) => 255 - 3 * byte)), /too little entropy/],
    [
      '16 bytes twice',
      Buffer.concat([counting.subarray(0, 16), counting.subarray(0, 16)]),
      /too little entropy/,
    ],
    ['a password', Buffer.from('correct-horse-battery-staple-123'), /is text, not random/],
    ['hexadecimal digits', Buffer.from('3f9a64c2718bd05e3f9a64c2718bd05e'), /is text, not random/],
  ])('notices %s', (_, key, weakness) => {
    expect(key).toHaveLength(32);
    expect(weaknessOf(key)).toMatch(weakness);
  });
});

describe('ids', () => {
  it('are read as they are shown', () => {
    const check = (id: number): void => {
      expect(showKeyId(id)).toMatch(/^[0-9a-f]{8}$/);
      expect(parseKeyId(showKeyId(id))).toBe(id);
    };
    fc.assert(fc.property(fc.nat(0xffff_ffff), check));
    expect(['2026', 'A1', '0', 'ffffffff'].map(parseKeyId)).toEqual([0x2026, 0xa1, 0, 0xffff_ffff]);
    for (const wrong of ['', '123456789', 'g', '-1', '1.5', ' 1', 5, null])
      expect(parseKeyId(wrong)).toBeUndefined();
  });

  it('of keys are the same in each process, and always have been', () => {
    expect(showKeyId(deriveKeyId(Buffer.alloc(32, 1)))).toBe('20d4de38');
  });
});

describe('RingKey', () => {
  it('overwrites what it is made of, and shows nothing of it', () => {
    const bytes = randomBytes(32);
    const written = [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('latin1')];
    const ring = new KeyRing(new RingKey(7, bytes), []);
    expect(bytes).toEqual(Buffer.alloc(32));
    const shown = [
      inspect(ring, { showHidden: true, depth: 9, getters: true }),
      JSON.stringify([...ring]),
    ].join('');
    for (const each of written) expect(shown).not.toContain(each.slice(0, 8));
    expect(inspect(ring.primary)).toBe("RingKey { name: '00000007' }");
  });

  it('is found by its id alone, the primary one first', () => {
    const [one, two] = [1, 2].map((id) => new RingKey(id, randomBytes(32)));
    const ring = new KeyRing(one!, [two!]);
    expect([...ring].map(({ id }) => id)).toEqual([1, 2]);
    expect([ring.get(2), ring.get(3)]).toEqual([two, undefined]);
  });

  it('has the same key of indexes each time, which is another than itself', () => {
    const bytes = randomBytes(32);
    const [one, two] = [1, 2].map((id) => new RingKey(id, Buffer.from(bytes)).indexKey);
    expect(one!.equals(two!)).toBe(true);
    expect(one!.export()).not.toEqual(bytes);
  });
});
