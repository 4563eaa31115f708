import type { EncryptionService } from 'rednest';
import { bareGcm } from '../bare/aes-gcm.js';
import { associatedDataFor } from '../bare/associated-data.js';
import { bareCommitting } from '../bare/committing.js';
import { HEADER_LENGTH, type Construction } from '../bare/construction.js';
import { keptXaes } from '../bare/kept-xaes.js';
import { bareXaes } from '../bare/xaes.js';
import { aesCbcSnippet } from './aes-cbc.js';
import { openIron } from './iron.js';
import type { Sealed, Subject } from './subject.js';

export interface Suites {
  readonly xaes: EncryptionService;
  readonly committing: EncryptionService;
}

export interface Setting {
  readonly key: Buffer;
  readonly namespace: string;
  readonly context: string;
}

/** All of them have keys of 32 bytes, and those that authenticate associated data have the same. */
export async function openSubjects({ xaes, committing }: Suites, setting: Setting): Promise<Subject[]> {
  const { key, context } = setting;
  const xaesHeader = headerOf(xaes, context);
  const committingHeader = headerOf(committing, context);
  return [
    rednest('rednest', xaes, context),
    byHand(bareXaes(key, xaesHeader), xaesHeader, setting),
    byHand(keptXaes(key, xaesHeader), xaesHeader, setting),
    byHand(bareGcm(key, xaesHeader), xaesHeader, setting),
    rednest('rednest, committing', committing, context),
    byHand(bareCommitting(key, committingHeader), committingHeader, setting),
    await openIron(key.toString('hex')),
    aesCbcSnippet(key),
  ];
}

function rednest(name: string, encryption: EncryptionService, context: string): Subject {
  return {
    name,
    authenticates: true,
    encrypt: (plaintext) => encryption.encrypt(plaintext, { context }),
    decrypt: (sealed: Sealed) => encryption.decrypt<Buffer>(sealed, { context }),
  };
}

/** What is authenticated is ready before: nothing could be faster. */
function byHand(construction: Construction, header: Buffer, { namespace, context }: Setting): Subject {
  const associatedData = associatedDataFor(header, namespace, context)('');
  return {
    name: construction.name,
    authenticates: true,
    encrypt: (plaintext) => construction.seal(plaintext, associatedData),
    decrypt: (sealed) => construction.open(sealed as Buffer, associatedData),
  };
}

function headerOf(encryption: EncryptionService, context: string): Buffer {
  return Buffer.from(encryption.encrypt(Buffer.alloc(0), { context }).subarray(0, HEADER_LENGTH));
}
