import type { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { readCertificates, readPem, readPrivateKey } from './pem.js';
import type { Problems } from './problems.js';
import type { RedisUrl } from './redis-url.js';
import type { Settings } from './settings.js';

/** TLS settings, and what the operator should hear of. */
export interface ResolvedTls {
  readonly tls: ConnectionOptions | undefined;
  readonly warnings: readonly string[];
}

/**
 * Complete TLS settings, the same for every leg of the connection, or none where TLS is off. Whoever asks for TLS in one place
 * and has a plaintext address in another gets a problem, never a plaintext connection.
 */
export function resolveTls(settings: Settings, url: RedisUrl | undefined, problems: Problems): ResolvedTls {
  const isOn = isTlsOn(settings, url, problems);
  const tls = readTls(settings, problems);
  if (!isOn) return { tls: undefined, warnings: [] };
  if (tls.rejectUnauthorized !== false) return { tls, warnings: [] };
  const option = settings.label('tls.rejectUnauthorized');
  const warning = `${option} is false: any certificate is accepted, so the connection is encrypted, but not authenticated`;
  return { tls, warnings: [warning] };
}

function isTlsOn(settings: Settings, url: RedisUrl | undefined, problems: Problems): boolean {
  const asked = settings.find('tls');
  const option = asked?.option ?? '';
  if (asked?.value === true && url?.scheme === 'redis') {
    problems.add(option, `asked for TLS, but ${url.given.option} says redis://; use rediss://`);
  }
  if (asked?.value === false && url?.scheme === 'rediss') {
    problems.add(
      option,
      `false turns TLS off, but ${url.given.option} says rediss://; use redis:// for plaintext`,
    );
  }
  if (asked?.value === true && (settings.has('path') || url?.scheme === 'unix')) {
    problems.add(
      option,
      `asked for TLS, but a Unix socket (${url?.given.option ?? 'path'}) has none; leave it out`,
    );
  }
  const isOn = asked?.value === true || url?.scheme === 'rediss';
  if (!isOn) reportUseless(settings, url, problems);
  return isOn;
}

/** Whoever gives a certificate means TLS. Going on in plaintext would be the last thing expected. */
function reportUseless(settings: Settings, url: RedisUrl | undefined, problems: Problems): void {
  // A `tls` or URL that is wrong has been reported; what it would have said is not known.
  const isUnknown = (path: string, value: unknown): boolean => settings.has(path) && value === undefined;
  if (isUnknown('tls', settings.find('tls')?.value) || isUnknown('url', url)) return;
  const remedy = url ? `use rediss:// in ${url.given.option}` : `turn it on with ${settings.label('tls')}`;
  for (const { option } of settings.under('tls')) {
    problems.add(option, `is given, but TLS is off; ${remedy}, or leave it out`);
  }
}

function readTls(settings: Settings, problems: Problems): ConnectionOptions {
  const ca = readCertificates(readPem('tls.ca', settings, problems), problems);
  const client = readClientCertificate(settings, problems);
  const servername = settings.text('tls.servername');
  const minVersion = settings.choice('tls.minVersion', ['TLSv1.2', 'TLSv1.3']) ?? 'TLSv1.2';
  const rejectUnauthorized = settings.boolean('tls.rejectUnauthorized');
  return {
    minVersion,
    ...(ca && { ca: toPem(ca) }),
    ...client,
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized === false && { rejectUnauthorized }),
  };
}

function readClientCertificate(settings: Settings, problems: Problems): ConnectionOptions {
  const certPem = readPem('tls.cert', settings, problems);
  const keyPem = readPem('tls.key', settings, problems);
  const passphrase = settings.secret('tls.passphrase');
  const certificates = readCertificates(certPem, problems);
  const key = readPrivateKey(keyPem, passphrase, problems);
  reportHalf(settings, problems);
  const [own] = certificates ?? [];
  if (keyPem && key && own && !own.checkPrivateKey(key)) {
    problems.add(keyPem.option, `'***' is not the key of the certificate in ${certPem?.option}`);
  }
  if (!certificates || !keyPem) return {};
  return { cert: toPem(certificates), key: keyPem.text, ...(passphrase !== undefined && { passphrase }) };
}

/** A certificate is of no use without its key, a key without its certificate, a passphrase without a key. */
function reportHalf(settings: Settings, problems: Problems): void {
  const find = (name: string): string | undefined =>
    (settings.find(`tls.${name}`) ?? settings.find(`tls.${name}File`))?.option;
  const [cert, key] = [find('cert'), find('key')];
  if (cert && !key) problems.add(cert, `needs the private key too (${settings.label('tls.key')})`);
  if (key && !cert) problems.add(key, `needs the certificate too (${settings.label('tls.cert')})`);
  if (settings.has('tls.passphrase') && !key) {
    problems.add('tls.passphrase', 'is given, but there is no key for it');
  }
}

function toPem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}
