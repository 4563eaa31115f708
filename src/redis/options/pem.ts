import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { showValue } from './mask.js';
import type { Problems } from './problems.js';
import { errorCode, readSettingFile } from './read-file.js';
import type { Settings } from './settings.js';

/** PEM and what to call it in a message. */
export interface Pem {
  readonly option: string;
  readonly text: string;
}

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[\s\S]+?-----END \1-----/g;

/** Reads PEM that is given as text or bytes (`tls.ca`) or as a file (`tls.caFile`). Both at once are a problem. */
export function readPem(setting: string, settings: Settings, problems: Problems): Pem | undefined {
  const inline = settings.find(setting);
  const file = settings.find(`${setting}File`);
  if (inline && file) problems.add(file.option, `is given, but ${inline.option} is too; give one of them`);
  if (inline) return readInline(inline.option, inline.value, problems);
  if (!file) return undefined;
  const text = readSettingFile(`${setting}File`, settings, problems);
  return text === undefined ? undefined : { option: file.option, text };
}

function readInline(option: string, value: unknown, problems: Problems): Pem | undefined {
  if (value === undefined) return undefined;
  const text = Buffer.isBuffer(value) ? value.toString('utf8') : value;
  if (typeof text === 'string' && text.includes('-----BEGIN'))
    return { option, text: text.replaceAll('\\n', '\n') };
  const shown = typeof text === 'string' ? "'***'" : showValue(text);
  problems.add(option, `${shown} is not PEM (-----BEGIN …); the path of a file goes into ${option}File`);
  return undefined;
}

/** The certificates of a PEM text, and nothing else of it: a file may hold the private key too. */
export function readCertificates(pem: Pem | undefined, problems: Problems): X509Certificate[] | undefined {
  if (!pem) return undefined;
  const blocks = pem.text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    problems.add(pem.option, 'has no certificate in PEM form (-----BEGIN CERTIFICATE-----)');
    return undefined;
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    problems.add(pem.option, `has a certificate that cannot be read (${errorCode(error)})`);
    return undefined;
  }
}

/** The private key of a PEM text; used to check it, since the driver takes the text. */
export function readPrivateKey(
  pem: Pem | undefined,
  passphrase: string | undefined,
  problems: Problems,
): KeyObject | undefined {
  if (!pem) return undefined;
  try {
    return createPrivateKey({
      key: pem.text,
      format: 'pem',
      ...(passphrase !== undefined && { passphrase }),
    });
  } catch (error) {
    const encrypted = pem.text.includes('ENCRYPTED');
    const hint = encrypted ? '; it is encrypted: is tls.passphrase right?' : '';
    problems.add(
      pem.option,
      `'***' is not a private key in PEM form that can be read (${errorCode(error)})${hint}`,
    );
    return undefined;
  }
}
