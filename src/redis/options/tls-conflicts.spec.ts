import { beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificates, type Certificates } from '../../testing/certificates.js';
import { problemsOf, resolve, type Given } from './resolve.fixture.js';

let certificates: Certificates;

beforeAll(async () => {
  certificates = await makeCertificates();
});

describe('TLS asked for in one place and refused in another', () => {
  const off = 'is given, but TLS is off';
  it.each<[Given, string[]]>([
    [
      { options: { url: 'redis://a', tls: true } },
      ['tls: asked for TLS, but url says redis://; use rediss://'],
    ],
    [
      { options: { url: 'REDIS://a', tls: {} } },
      ['tls: asked for TLS, but url says redis://; use rediss://'],
    ],
    [
      { env: { REDIS_URL: 'redis://a', REDIS_USE_TLS: 'true' } },
      ['REDIS_USE_TLS: asked for TLS, but REDIS_URL says redis://; use rediss://'],
    ],
    [
      { env: { REDIS_URL: 'redis://a' }, options: { tls: true } },
      ['tls: asked for TLS, but REDIS_URL says redis://; use rediss://'],
    ],
    [
      { options: { url: 'rediss://a', tls: false } },
      ['tls: false turns TLS off, but url says rediss://; use redis:// for plaintext'],
    ],
    [
      { env: { REDIS_URL: 'REDISS://a', REDIS_USE_TLS: 'no' } },
      ['REDIS_USE_TLS: false turns TLS off, but REDIS_URL says rediss://; use redis:// for plaintext'],
    ],
    [
      { env: { REDIS_HOST: 'a', REDIS_USE_TLS: 'true' }, options: { tls: false } },
      ['tls: false turns TLS off, but REDIS_USE_TLS asks for it'],
    ],
    [
      { env: { REDIS_HOST: 'a', REDIS_TLS_SERVERNAME: 'b' } },
      [`REDIS_TLS_SERVERNAME: ${off}; turn it on with REDIS_USE_TLS, or leave it out`],
    ],
    [
      { env: { REDIS_URL: 'redis://a', REDIS_TLS_SERVERNAME: 'b' } },
      [`REDIS_TLS_SERVERNAME: ${off}; use rediss:// in REDIS_URL, or leave it out`],
    ],
    [
      { env: { REDIS_HOST: 'a', REDIS_USE_TLS: 'false', REDIS_TLS_SERVERNAME: 'b' } },
      [`REDIS_TLS_SERVERNAME: ${off}; turn it on with REDIS_USE_TLS, or leave it out`],
    ],
    [
      { options: { path: '/run/redis.sock', tls: true } },
      ['tls: asked for TLS, but a Unix socket (path) has none; leave it out'],
    ],
    [
      { options: { url: 'unix:///run/redis.sock', tls: {} } },
      ['tls: asked for TLS, but a Unix socket (url) has none; leave it out'],
    ],
  ])('%j', (given, problems) => {
    expect(problemsOf(given)).toEqual(problems);
  });

  it('names a CA that would not be used', () => {
    expect(problemsOf({ env: { REDIS_HOST: 'a', REDIS_CA_CERT: certificates.ca } })).toEqual([
      `REDIS_CA_CERT: ${off}; turn it on with REDIS_USE_TLS, or leave it out`,
    ]);
  });

  it('does not say that TLS is off where a broken URL leaves it open', () => {
    expect(problemsOf({ env: { REDIS_URL: 'rediss://a:70000', REDIS_TLS_SERVERNAME: 'b' } })).toEqual([
      expect.stringMatching(/^REDIS_URL: .* cannot be read as a URL/),
    ]);
    expect(problemsOf({ env: { REDIS_URL: 'https://a', REDIS_TLS_SERVERNAME: 'b' } })).toEqual([
      expect.stringMatching(/^REDIS_URL: .* does not begin with/),
    ]);
    expect(problemsOf({ env: { REDIS_USE_TLS: 'maybe', REDIS_TLS_SERVERNAME: 'b' } })).toEqual([
      expect.stringMatching(/^REDIS_USE_TLS: 'maybe' is not true or false/),
    ]);
  });
});

describe('tls in environment and code', () => {
  it('is merged setting by setting, where code wins', () => {
    const env = { REDIS_USE_TLS: 'true', REDIS_CA_CERT: '/nowhere/ca.pem', REDIS_TLS_SERVERNAME: 'from-env' };
    const tls = { ca: certificates.ca, minVersion: 'TLSv1.3' };
    const resolved = resolve({ env, options: { tls } }).tls;
    expect(resolved).toMatchObject({ minVersion: 'TLSv1.3', servername: 'from-env' });
    expect(String(resolved?.ca).trim()).toBe(certificates.ca.trim().replaceAll('\r\n', '\n'));
  });

  it('is turned on by code where the environment says no', () => {
    expect(
      resolve({ env: { REDIS_HOST: 'a', REDIS_USE_TLS: 'false' }, options: { tls: true } }).tls,
    ).toBeDefined();
  });

  it('does not show a key in base64 in the place of its path', () => {
    const key = Buffer.from(certificates.client.key).toString('base64');
    const env = { REDIS_USE_TLS: 'true', REDIS_CLIENT_CERT: certificates.client.cert, REDIS_CLIENT_KEY: key };
    expect(problemsOf({ env })).toEqual([
      expect.stringMatching(/^REDIS_CLIENT_KEY: file '\*\*\*' cannot be read/),
    ]);
  });

  it('names the variable that is missing beside a client certificate', () => {
    expect(problemsOf({ env: { REDIS_USE_TLS: '1', REDIS_CLIENT_CERT: certificates.client.cert } })).toEqual([
      'REDIS_CLIENT_CERT: needs the private key too (REDIS_CLIENT_KEY)',
    ]);
  });
});
