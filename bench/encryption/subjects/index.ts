import type { EncryptionService } from 'rednest';
import { bareGcm } from '../bare/aes-gcm.js';
import { boundToContext } from '../bare/associated-data.js';
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

/** Those that are measured together. What others leave behind on the heap is not cleared in their turns. */
export interface SubjectGroups {
  readonly xaes: readonly Subject[];
  readonly committing: readonly Subject[];
  readonly others: readonly Subject[];
}

/** All of them have keys of 32 bytes, and those that authenticate associated data have the same. */
export async function openSubjects({ xaes, committing }: Suites, setting: Setting): Promise<SubjectGroups> {
  const { key, context } = setting;
  const header = headerOf(xaes, context);
  const committingHeader = headerOf(committing, context);
  const own = rednest('rednest', xaes, context);
  return {
    xaes: [
      own,
      byHand(bareXaes(key, header), header, setting),
      byHand(keptXaes(key, header), header, setting),
      byHand(bareGcm(key, header), header, setting),
    ],
    committing: [
      rednest('rednest, committing', committing, context),
      byHand(bareCommitting(key, committingHeader), committingHeader, setting),
    ],
    others: [own, await openIron(key.toString('hex')), aesCbcSnippet(key)],
  };
}

function rednest(name: string, encryption: EncryptionService, context: string): Subject {
  return {
    name,
    authenticates: true,
    encrypt: (plaintext) => encryption.encrypt(plaintext, { context }),
    decrypt: (sealed: Sealed) => encryption.decrypt<Buffer>(sealed, { context }),
  };
}

/** The context is another one for each message, as a rule: what is authenticated is made for each. */
function byHand(construction: Construction, header: Buffer, { namespace, context }: Setting): Subject {
  const associatedData = boundToContext(header, namespace);
  return {
    name: construction.name,
    authenticates: true,
    encrypt: (plaintext) => construction.seal(plaintext, associatedData(context)),
    decrypt: (sealed) => construction.open(sealed as Buffer, associatedData(context)),
  };
}

function headerOf(encryption: EncryptionService, context: string): Buffer {
  return Buffer.from(encryption.encrypt(Buffer.alloc(0), { context }).subarray(0, HEADER_LENGTH));
}
