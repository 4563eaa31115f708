import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConfigService } from '@nestjs/config';
import * as fc from 'fast-check';
import { deriveKeyId, showKeyId } from '../keys/key-id.js';
import { EncryptionConfigurationError } from './encryption-configuration-error.js';
import type { EncryptionRootOptions } from './encryption-options.js';
import { resolveRootOptions } from './resolve-encryption-options.js';

type Environment = Record<string, string>;

const resolve = (options: unknown, environment: Environment = {}) =>
  resolveRootOptions(options as EncryptionRootOptions, new ConfigService(environment));

function errorOf(options: unknown, environment?: Environment): EncryptionConfigurationError {
  try {
    resolve(options, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(EncryptionConfigurationError);
    return error as EncryptionConfigurationError;
  }
  throw new Error('Nothing is wrong with it');
}

const problemsOf = (options: unknown, environment?: Environment): [string, string][] =>
  errorOf(options, environment).problems.map(({ option, message }) => [option, message]);

const idsOf = (options: unknown, environment?: Environment): string[] =>
  Array.from(resolve(options, environment).ring, ({ name }) => name);

/** Good keys that are the same in each run. */
const [K1, K2, K3] = ['one', 'two', 'three'].map((seed) => createHash('sha256').update(seed).digest());
const [ONE, TWO, THREE] = [K1!, K2!, K3!];
const [ID1, ID2, ID3] = [ONE, TWO, THREE].map((key) => showKeyId(deriveKeyId(key)));
const hex = (key: Buffer): string => key.toString('hex');

describe('resolveRootOptions', () => {
  it('knows what is good for most', () => {
    const { ring, ...rest } = resolve({}, { ENCRYPTION_KEY: hex(ONE) });
    expect([...ring]).toHaveLength(1);
    expect(rest).toEqual({
      namespace: 'encrypted',
      written: { suite: 'xaes-256-gcm', binding: 'key' },
      accepted: { suite: 'xaes-256-gcm', binding: 'key' },
      reencryptOnRead: true,
      migratePlaintext: undefined,
    });
  });

  it('takes what is given', () => {
    const given = { namespace: 'a:b', reencryptOnRead: false };
    const strengths = { suite: 'committing-aes-256-gcm', bind: 'context', accept: { bind: 'none' } };
    const migratePlaintext = { until: new Date(5_000), as: 'json' };
    const { ring, ...rest } = resolve({ key: ONE, ...given, ...strengths, migratePlaintext });
    expect(ring.primary.name).toBe(ID1);
    expect(rest).toEqual({
      ...given,
      written: { suite: 'committing-aes-256-gcm', binding: 'context' },
      accepted: { suite: 'committing-aes-256-gcm', binding: 'none' },
      migratePlaintext: { until: 5_000, as: 'json' },
    });
  });

  it('does not accept less than it writes', () => {
    for (const accept of [{ suite: 'committing-aes-256-gcm' }, { bind: 'key' }])
      expect(() => resolve({ key: ONE, bind: 'context', accept })).toThrow(/accept: is stronger than/);
  });

  it.each([
    ['namespace', ['', 'a b', '{a}', 5]],
    ['suite', ['aes-256-cbc', 1, null]],
    ['bind', ['field', false]],
    ['reencryptOnRead', ['yes', 1]],
    ['migratePlaintext', [true, '2027-01-31', []]],
    ['decryptKeys', ['a', {}, 5]],
    ['keys', [[]]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values)
      expect(problemsOf({ key: ONE, [option]: value })).toContainEqual([option, expect.any(String)]);
  });

  it('accepts no plaintext without an end that is a date', () => {
    for (const until of ['soon', '', 'in 2027', '2027-13-45', new Date(Number.NaN), 1_800_000_000_000, null])
      expect(problemsOf({ key: ONE, migratePlaintext: { until } })).toEqual([
        ['migratePlaintext.until', expect.stringContaining("a date, such as new Date('2027-01-31')")],
      ]);
    for (const without of [{}, { as: 'text' }, { until: undefined }])
      expect(problemsOf({ key: ONE, migratePlaintext: without })).toEqual([
        ['migratePlaintext.until', expect.stringMatching(/is missing/)],
      ]);
    const wrong = { until: '2027-01-31', as: 'xml', since: 5 };
    expect(problemsOf({ key: ONE, migratePlaintext: wrong }).map(([option]) => option)).toEqual([
      'migratePlaintext.since',
      'migratePlaintext.as',
    ]);
    const { migratePlaintext } = resolve({ key: ONE, migratePlaintext: { until: '2027-01-31T12:00:00Z' } });
    expect(migratePlaintext).toEqual({ until: Date.UTC(2027, 0, 31, 12), as: 'text' });
  });
});

describe('keys', () => {
  it('come from the environment, or from the options, and then from them alone', () => {
    const environment = { ENCRYPTION_KEY: hex(ONE), ENCRYPTION_DECRYPT_KEYS: TWO.toString('base64') };
    expect(idsOf({}, environment)).toEqual([ID1, ID2]);
    expect(idsOf({ key: undefined }, environment)).toEqual([ID1, ID2]);
    expect(idsOf({ decryptKeys: [THREE] }, environment)).toEqual([ID1, ID3]);
    expect(idsOf({ key: THREE }, environment)).toEqual([ID3]);
    expect(idsOf({ key: THREE, decryptKeys: [hex(ONE)] }, environment)).toEqual([ID3, ID1]);
  });

  it('are several, with commas and spaces as they may be', () => {
    const decryptKeys = ` , ${hex(TWO)},, a1:${THREE.toString('base64url')} ,`;
    expect(
      idsOf({}, { ENCRYPTION_KEY: ` 2026 : ${hex(ONE)} `, ENCRYPTION_DECRYPT_KEYS: decryptKeys }),
    ).toEqual(['00002026', ID2, '000000a1']);
    for (const none of ['', ' ', ',', ' , ,'])
      expect(idsOf({}, { ENCRYPTION_KEY: hex(ONE), ENCRYPTION_DECRYPT_KEYS: none })).toEqual([ID1]);
  });

  it('have an id of their own, or one that is given', () => {
    const decryptKeys = [
      { id: 'FF', key: TWO },
      { id: '7', key: hex(THREE) },
    ];
    expect(idsOf({ key: `2026:${hex(ONE)}`, decryptKeys })).toEqual(['00002026', '000000ff', '00000007']);
    for (const id of ['', 'key-1', '123456789', 5])
      expect(problemsOf({ key: { id, key: ONE } })).toEqual([
        ['key', 'has an id that is not one to eight hexadecimal digits'],
      ]);
    expect(problemsOf({ key: `${hex(ONE)}:2026` })).toHaveLength(1);
  });

  it('are not given twice, nor under one id', () => {
    expect(problemsOf({ key: ONE, decryptKeys: [TWO, hex(ONE)] })).toEqual([
      ['decryptKeys[1]', 'is the same key as key'],
    ]);
    const environment = {
      ENCRYPTION_KEY: `1:${hex(ONE)}`,
      ENCRYPTION_DECRYPT_KEYS: `${hex(TWO)},01:${hex(THREE)}`,
    };
    expect(problemsOf({}, environment)).toEqual([
      ['ENCRYPTION_DECRYPT_KEYS, key 2', 'has the id 00000001, as ENCRYPTION_KEY has, and is another key'],
    ]);
    // One that was given an id later still has to read what was written before.
    expect(idsOf({ key: { id: '1', key: ONE }, decryptKeys: [ONE] })).toEqual(['00000001', ID1]);
  });

  it('are missed with a message that says what to do', () => {
    for (const environment of [{}, { ENCRYPTION_KEY: ' ' }])
      expect(problemsOf({}, environment as Environment)).toEqual([
        [
          'ENCRYPTION_KEY',
          "is missing: a key is 64 hexadecimal characters, or base64 of 32 bytes; 'openssl rand -hex 32' makes one",
        ],
      ]);
    expect(problemsOf({ key: '' })).toEqual([['key', expect.stringMatching(/^is empty/)]]);
    expect(problemsOf({ key: null })).toEqual([['key', expect.stringMatching(/^is neither text nor bytes/)]]);
  });

  it('that are wrong or weak are all reported, with the other problems', () => {
    const decryptKeys = [Buffer.alloc(32), 'abc', Buffer.alloc(32, 7), 'x'.repeat(43), {}, TWO];
    expect(problemsOf({ key: hex(ONE).slice(2), decryptKeys, bind: 5 })).toEqual([
      ['key', expect.stringMatching(/^has 62 hexadecimal characters/)],
      ['decryptKeys[0]', 'is all zeros'],
      ['decryptKeys[1]', expect.stringMatching(/^has 3 hexadecimal characters/)],
      ['decryptKeys[2]', expect.stringMatching(/^has too little entropy/)],
      ['decryptKeys[3]', expect.stringMatching(/^is neither hexadecimal nor base64/)],
      ['decryptKeys[4]', expect.stringMatching(/^is neither text nor bytes/)],
      ['bind', expect.any(String)],
    ]);
  });

  it('are reported in their order, whatever is wrong with them', () => {
    const decryptKeys = [hex(ONE), 'abc', TWO, `7:${hex(TWO)}`, { id: '7', key: THREE }, Buffer.alloc(32)];
    expect(problemsOf({ key: ONE, decryptKeys }).map(([option]) => option)).toEqual([
      'decryptKeys[0]',
      'decryptKeys[1]',
      'decryptKeys[4]',
      'decryptKeys[5]',
    ]);
    expect(problemsOf({ key: 'abc', decryptKeys: 'abc' }).map(([option]) => option)).toEqual([
      'key',
      'decryptKeys',
    ]);
  });

  it('that are several where there is one to be are told where to go', () => {
    const several = `1:${hex(ONE)}, ${hex(TWO)}`;
    expect(problemsOf({}, { ENCRYPTION_KEY: several, ENCRYPTION_DECRYPT_KEYS: 'abc' })).toEqual([
      ['ENCRYPTION_KEY', 'holds several keys: all but the first belong in ENCRYPTION_DECRYPT_KEYS'],
      ['ENCRYPTION_DECRYPT_KEYS, key 1', expect.stringMatching(/^has 3 hexadecimal characters/)],
    ]);
    expect(problemsOf({ key: several })).toEqual([
      ['key', 'holds several keys: all but the first belong in decryptKeys'],
    ]);
    expect(problemsOf({ key: `${hex(ONE)},` })).toEqual([
      ['key', expect.stringMatching(/^is neither hexadecimal/)],
    ]);
  });

  it('leave what was given as it was', () => {
    const given = [Buffer.from(ONE), Buffer.from(TWO)] as const;
    resolve({ key: given[0], decryptKeys: [given[1]] });
    expect(given).toEqual([ONE, TWO]);
  });
});

describe('no key is shown', () => {
  /** Ways to give a key, each of them wrong in some way. */
  const wrongly = (key: Buffer): [unknown, Environment?][] => {
    const [text, base64] = [hex(key), key.toString('base64')];
    return [
      [text],
      [base64],
      [key],
      [[key]],
      [{ key: text.slice(0, -1) }],
      [{ key: `${text}00` }],
      [{ key: base64.slice(4) }],
      [{ key: `${base64}${base64}` }],
      [{ key: `${text}:1` }],
      [{ key: `${text},${base64}` }],
      [{ key: { id: text, key: '1' } }],
      [{ key: { id: '1', key: { text } } }],
      [{ key: text, decryptKeys: text }],
      [{ key: text, decryptKeys: [base64] }],
      [{ key: key.subarray(1), decryptKeys: [`1:${text}`, `1:${hex(ONE)}`] }],
      [{ keys: [text], secret: base64 }, { ENCRYPTION_KEY: text }],
      [{}, { ENCRYPTION_KEY: text.slice(1), ENCRYPTION_DECRYPT_KEYS: `${base64};${base64}` }],
      [{}, { ENCRYPTION_KEY: `"${text}"`, ENCRYPTION_DECRYPT_KEYS: `${text} ${base64}` }],
      [{ bind: 5, key: text }, {}],
    ];
  };

  it('by any error, in whatever way it is given wrongly', () => {
    const random = fc.noShrink(fc.constant(null).map(() => randomBytes(32)));
    const check = (key: Buffer): void => {
      const slices = [hex(key), key.toString('base64'), key.toString('latin1')].flatMap((text) => {
        return [4, 12, 20].map((start) => text.slice(start, start + 8));
      });
      for (const [options, environment] of wrongly(key)) {
        const error = errorOf(options, environment);
        const shown = [
          error.stack,
          inspect(error, { showHidden: true, depth: 9 }),
          JSON.stringify(error),
        ].join('\n');
        for (const slice of slices) expect(shown.toLowerCase()).not.toContain(slice.toLowerCase());
      }
    };
    fc.assert(fc.property(random, check), { numRuns: 3 });
  });

  it('by the options that were made of it', () => {
    const resolved = resolve({ key: ONE, decryptKeys: [TWO] });
    const shown = inspect(resolved, { showHidden: true, depth: 9 }) + JSON.stringify(resolved);
    for (const key of [ONE, TWO])
      for (const text of [hex(key), key.toString('base64')]) expect(shown).not.toContain(text.slice(4, 12));
  });
});
