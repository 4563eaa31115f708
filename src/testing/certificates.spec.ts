import { describe, expect, it } from '@jest/globals';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { makeCertificates } from './index.js';

describe('makeCertificates', () => {
  it('makes an authority, and certificates for a server on this machine and for a client', async () => {
    const { ca, server, client } = await makeCertificates();
    const authority = new X509Certificate(ca);
    expect(authority.ca).toBe(true);
    for (const { cert, key } of [server, client]) {
      const certificate = new X509Certificate(cert);
      expect(certificate.ca).toBe(false);
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    }
    const serverCertificate = new X509Certificate(server.cert);
    expect(serverCertificate.checkHost('localhost')).toBe('localhost');
    expect(serverCertificate.checkHost('example.org')).toBeUndefined();
    for (const address of ['127.0.0.1', '::1']) expect(serverCertificate.checkIP(address)).toBe(address);
  });

  it('makes an unrelated authority the next time', async () => {
    const [first, second] = await Promise.all([makeCertificates(), makeCertificates()]);
    const stranger = new X509Certificate(second.ca);
    expect(new X509Certificate(first.server.cert).verify(stranger.publicKey)).toBe(false);
  });
});
