import type { ResolvedRedisOptions } from '../../redis/shared.js';
import { counted, printable } from '../output/text.js';
import type { AddressParameters } from './addresses.js';
import { dialTls, greet, placeText, type Answer, type Place } from './dial.js';
import { Findings } from './finding.js';

/** A certificate that ends so soon, in milliseconds, should be on its way to be renewed. */
const EXPIRES_SOON = 21 * 24 * 3_600_000;

interface Checked {
  readonly findings: Findings;
  readonly isUsable: boolean;
}

/** @param answer what was answered to plaintext */
export async function checkPlaintext(
  place: Place,
  answer: Answer,
  { options, prefix, timeout, isLocal }: AddressParameters & { isLocal: boolean },
): Promise<Checked> {
  const findings = new Findings('tls');
  const at = placeText(place);
  if (answer === 'refused' && (await speaksTls(place, timeout))) {
    findings.problem(
      `off, but ${at} speaks TLS`,
      `Set ${turnOn(options, prefix)}, and ${prefix}CA_CERT where the authority is your own`,
    );
    return { findings, isUsable: false };
  }
  if (answer === 'something else') {
    findings.problem(
      `${at} does not answer as Redis does`,
      'Another server listens there: is the port right?',
    );
    return { findings, isUsable: false };
  }
  // Why it does not answer is found out when it is connected to.
  if (isLocal) findings.ok('off, on this machine');
  else
    findings.warning(
      'off: passwords and data pass the network in clear',
      `Have the server speak TLS (tls-port), and set ${turnOn(options, prefix)}`,
    );
  return { findings, isUsable: true };
}

async function speaksTls(place: Place, timeout: number): Promise<boolean> {
  try {
    (await dialTls(place, { rejectUnauthorized: false }, timeout)).destroy();
    return true;
  } catch (error) {
    // One that asks for a certificate of the client speaks it too.
    return /certificate|handshake/i.test((error as Error).message);
  }
}

/** @param answer what was answered to plaintext */
export async function checkTls(
  place: Place,
  answer: Answer,
  { options, prefix, timeout }: AddressParameters,
): Promise<Checked> {
  const findings = new Findings('tls');
  const at = placeText(place);
  if (answer === 'redis') {
    findings.problem(
      `on, but ${at} speaks plaintext`,
      `Have the server speak TLS (tls-port), or do without ${turnOn(options, prefix)}`,
    );
    return { findings, isUsable: false };
  }
  try {
    const socket = await dialTls(place, options.tls!, timeout);
    const protocol = socket.getProtocol();
    const { subject, valid_to: validTo } = socket.getPeerCertificate();
    // That a certificate of the client is missing is said after the handshake.
    await greet(socket, timeout);
    const left = new Date(validTo).getTime() - Date.now();
    const name = printable(String(subject.CN ?? 'no common name'));
    const found = `on (${protocol}), certificate '${name}' is valid for ${counted(Math.floor(left / 86_400_000), 'more day')}`;
    if (left > EXPIRES_SOON) findings.ok(found);
    else findings.warning(found, 'Renew it before it expires: no client will connect after that');
    return { findings, isUsable: true };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const advice = tlsAdvice(code, message, prefix);
    findings.problem(`on, and the handshake with ${at} fails: ${printable(message)}`, advice);
    return { findings, isUsable: false };
  }
}

function turnOn({ target }: ResolvedRedisOptions, prefix: string): string {
  return target.kind === 'standalone'
    ? `${prefix}USE_TLS=true, or rediss:// in ${prefix}URL`
    : `${prefix}USE_TLS=true`;
}

function tlsAdvice(code: string, message: string, prefix: string): string {
  if (code === 'CERT_HAS_EXPIRED') return "Renew the server's certificate";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `Connect by a name that is in the certificate, or set ${prefix}TLS_SERVERNAME to one`;
  if (/SELF_SIGNED|UNABLE_TO_|UNTRUSTED/.test(code))
    return `Set ${prefix}CA_CERT to the authority that has signed the server's certificate`;
  if (/certificate|handshake failure/i.test(message))
    return `The server wants a certificate of the client: set ${prefix}CLIENT_CERT and ${prefix}CLIENT_KEY`;
  return `Is the port one for TLS, and the authority right (${prefix}CA_CERT)?`;
}
