import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { inspect } from 'node:util';
import { makeCertificates, type Certificates } from '../../testing/certificates.js';
import { problemsOf, resolve, TemporaryFiles } from './resolve.fixture.js';

let certificates: Certificates;
let files: TemporaryFiles;
let encryptedKey: string;
const passphrase = 'pass-s3cret';

beforeAll(async () => {
  files = new TemporaryFiles();
  certificates = await makeCertificates();
  const key = createPrivateKey(certificates.client.key);
  encryptedKey = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
});
afterAll(() => files.remove());

/** The serial numbers of the certificates in a PEM text. */
function serials(pem: unknown): string[] {
  const blocks = String(pem).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).serialNumber);
}

describe('tls', () => {
  it('is off by default, and complete with true', () => {
    expect(resolve({ options: { host: 'a' } }).tls).toBeUndefined();
    expect(resolve({ options: { host: 'a', tls: false } }).tls).toBeUndefined();
    expect(resolve({ options: { host: 'a', tls: true } }).tls).toEqual({ minVersion: 'TLSv1.2' });
    expect(resolve({ options: { host: 'a', tls: {} } }).tls).toEqual({ minVersion: 'TLSv1.2' });
  });

  it.each(['sentinel', 'cluster'])('is the same for a %s', (topology) => {
    const address = { [topology]: { nodes: ['a'], ...(topology === 'sentinel' && { masterName: 'main' }) } };
    const tls = { minVersion: 'TLSv1.3', servername: 'cache.internal' } as const;
    expect(resolve({ options: { ...address, tls } }).tls).toEqual(tls);
  });

  it('takes PEM as text, as bytes, with \\n written out, and from files', () => {
    const { ca, client } = certificates;
    const inline = resolve({ options: { host: 'a', tls: { ca, ...client } } }).tls;
    const caFile = files.write('ca.pem', ca);
    const certFile = files.write('client.crt', client.cert);
    const keyFile = files.write('client.key', client.key);
    const written = ca.replaceAll('\n', '\\n');
    const bytes = { ca: Buffer.from(ca), cert: Buffer.from(client.cert), key: Buffer.from(client.key) };
    for (const tls of [
      { caFile, certFile, keyFile },
      { ...bytes },
      { ca: written, certFile, key: client.key },
    ]) {
      expect(resolve({ options: { host: 'a', tls } }).tls).toEqual(inline);
    }
    const env = {
      REDIS_USE_TLS: 'true',
      REDIS_CA_CERT: written,
      REDIS_CLIENT_CERT: certFile,
      REDIS_CLIENT_KEY: client.key,
    };
    expect(resolve({ env }).tls).toEqual({ ...inline, key: client.key.trim() });
    expect(serials(inline?.ca)).toEqual(serials(ca));
    expect(() => createSecureContext(inline)).not.toThrow();
  });

  it('takes bundles, and of a file with certificate and key the certificate alone', () => {
    const { ca, client, server } = certificates;
    const both = files.write('both.pem', `${client.key}${client.cert}`);
    const tls = { ca: `# ours\n${ca}\n${server.cert}`, certFile: both, keyFile: both };
    const resolved = resolve({ options: { host: 'a', tls } }).tls;
    expect(serials(resolved?.ca)).toEqual([...serials(ca), ...serials(server.cert)]);
    expect(resolved?.cert).not.toContain('PRIVATE KEY');
    expect(() => createSecureContext(resolved)).not.toThrow();
  });

  it('takes an encrypted key with its passphrase', () => {
    const tls = { cert: certificates.client.cert, key: encryptedKey, passphrase };
    expect(resolve({ options: { host: 'a', tls } }).tls).toMatchObject({ passphrase });
  });

  it('warns where certificates are not checked', () => {
    const { tls, warnings } = resolve({ options: { host: 'a', tls: { rejectUnauthorized: false } } });
    expect(tls?.rejectUnauthorized).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(/^tls\.rejectUnauthorized is false: any certificate is accepted/),
    ]);
    const checked = resolve({ options: { host: 'a', tls: { rejectUnauthorized: true } } });
    expect([checked.warnings, checked.tls]).toEqual([[], { minVersion: 'TLSv1.2' }]);
  });

  it('shows neither key nor passphrase', () => {
    const tls = { cert: certificates.client.cert, key: encryptedKey, passphrase };
    const resolved = resolve({ options: { host: 'a', tls } });
    const [, keyText = 'none'] = encryptedKey.split('\n');
    for (const object of [resolved, resolved.tls]) {
      const shown = `${inspect(object, { depth: 10, showHidden: true })}${JSON.stringify(object)}`;
      expect(shown).not.toContain(passphrase);
      expect(shown).not.toContain(keyText);
      expect(shown).not.toContain('PRIVATE');
      expect(shown).toContain('***');
    }
  });
});

describe('tls settings that are wrong', () => {
  type Make = () => { tls: Record<string, unknown>; problems: unknown[] };
  it.each<[string, Make]>([
    [
      'a CA file that is not there',
      () => ({
        tls: { caFile: '/nowhere/ca.pem' },
        problems: ["tls.caFile: file '/nowhere/ca.pem' cannot be read (ENOENT)"],
      }),
    ],
    [
      'a CA file that is a directory',
      () => ({ tls: { caFile: '/' }, problems: ["tls.caFile: file '/' cannot be read (EISDIR)"] }),
    ],
    [
      'a CA file that is not PEM',
      () => ({
        tls: { caFile: files.write('text.pem', 'hello') },
        problems: ['tls.caFile: has no certificate in PEM form (-----BEGIN CERTIFICATE-----)'],
      }),
    ],
    [
      'a certificate that is damaged',
      () => ({
        tls: { ca: certificates.ca.replace(/\n.{20}/, '\n') },
        problems: [expect.stringMatching(/^tls\.ca: has a certificate that cannot be read \(ERR_/)],
      }),
    ],
    [
      'a path in the place of PEM',
      () => ({
        tls: { ca: '/etc/ca.pem' },
        problems: ["tls.ca: '***' is not PEM (-----BEGIN …); the path of a file goes into tls.caFile"],
      }),
    ],
    [
      'a list in the place of PEM',
      () => ({
        tls: { ca: [certificates.ca] },
        problems: ['tls.ca: an array is not PEM (-----BEGIN …); the path of a file goes into tls.caFile'],
      }),
    ],
    [
      'ca and caFile',
      () => ({
        tls: { ca: certificates.ca, caFile: files.write('ca.pem', certificates.ca) },
        problems: ['tls.caFile: is given, but tls.ca is too; give one of them'],
      }),
    ],
    [
      'a certificate without its key',
      () => ({
        tls: { cert: certificates.client.cert },
        problems: ['tls.cert: needs the private key too (tls.key)'],
      }),
    ],
    [
      'a key without its certificate',
      () => ({
        tls: { key: certificates.client.key },
        problems: ['tls.key: needs the certificate too (tls.cert)'],
      }),
    ],
    [
      'a passphrase without a key',
      () => ({ tls: { passphrase }, problems: ['tls.passphrase: is given, but there is no key for it'] }),
    ],
    [
      'the key of another certificate',
      () => ({
        tls: { cert: certificates.client.cert, key: certificates.server.key },
        problems: ["tls.key: '***' is not the key of the certificate in tls.cert"],
      }),
    ],
    [
      'a certificate in the place of a key',
      () => ({
        tls: { cert: certificates.client.cert, key: certificates.client.cert },
        problems: [
          expect.stringMatching(
            /^tls\.key: '\*\*\*' is not a private key in PEM form that can be read \(ERR_/,
          ),
        ],
      }),
    ],
    [
      'an encrypted key without passphrase',
      () => ({
        tls: { cert: certificates.client.cert, key: encryptedKey },
        problems: [expect.stringMatching(/^tls\.key: .*; it is encrypted: is tls\.passphrase right\?$/)],
      }),
    ],
    [
      'a wrong passphrase',
      () => ({
        tls: { cert: certificates.client.cert, key: encryptedKey, passphrase: 'wrong-s3cret' },
        problems: [expect.stringMatching(/^tls\.key: .*; it is encrypted: is tls\.passphrase right\?$/)],
      }),
    ],
    [
      'types and values that do not fit',
      () => ({
        tls: { minVersion: 'TLSv1.1', rejectUnauthorized: 'no', servername: '', passphrase: 5, caFile: 5 },
        problems: [
          'tls.caFile: 5 is not the path of a file',
          "tls.passphrase: '***' is not a text",
          'tls.passphrase: is given, but there is no key for it',
          "tls.servername: '' is not a text with at least one letter",
          "tls.minVersion: 'TLSv1.1' is not 'TLSv1.2' or 'TLSv1.3'",
          "tls.rejectUnauthorized: 'no' is not true or false",
        ],
      }),
    ],
    [
      'unknown settings',
      () => ({
        tls: { cafile: 'x', ciphers: 'x' },
        problems: [
          'tls.cafile: is not an option of rednest; did you mean caFile?',
          expect.stringMatching(/^tls\.ciphers: is not an option of rednest; known are ca, caFile, cert/),
        ],
      }),
    ],
  ])('%s', (_, make) => {
    const { tls, problems } = make();
    const found = problemsOf({ options: { host: 'a', tls } });
    expect(found).toEqual(problems);
    expect(found.join()).not.toMatch(/s3cret|MII/);
  });

  it.each([5, 'true', null])('tls: %p', (tls) => {
    expect(problemsOf({ options: { host: 'a', tls } })).toEqual([
      expect.stringMatching(/^tls: .* is not true, false or an object of ca, caFile/),
    ]);
  });
});
